"""URLs of the shell's own pages."""

from django.urls import path
from django.views.generic import RedirectView

from dashboard.views import audit, docs, home

app_name = "dashboard"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="dashboard:home"), name="root"),
    path("favicon.ico", home.icon, name="icon"),
    path("dashboard/", home.home, name="home"),
    path("dashboard/jump", home.jump, name="jump"),
    path("dashboard/organization", home.choose_organization, name="organization"),
    path("dashboard/audit", audit.audit, name="audit"),
    path("docs/", docs.guides, name="docs"),
    path("docs/plans", docs.plans, name="plans"),
    path("docs/pictures/<slug:name>.<str:extension>", docs.picture, name="picture"),
    path("docs/adr/<slug:slug>", docs.decision, name="decision"),
    path("docs/<slug:slug>", docs.guide, name="guide"),
]
