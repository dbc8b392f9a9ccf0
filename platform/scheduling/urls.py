"""Addresses of the pages of schedules."""

from django.urls import path

from scheduling.pages import schedules

LIST = "dashboard/schedules/"
ONE = LIST + "<slug:kind>/<uuid:schedule_id>/"

app_name = "scheduling"
urlpatterns = [
    path(LIST, schedules.schedule_list, name="schedules"),
    path(LIST + "next-runs", schedules.next_runs, name="next-runs"),
    path(ONE, schedules.schedule_page, name="schedule"),
    path(ONE + "act", schedules.act, name="act"),
    path(ONE + "delete", schedules.delete, name="delete"),
]
