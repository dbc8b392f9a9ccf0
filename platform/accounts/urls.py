"""URLs of the app: the entrance, invitations, and the settings."""

from django.urls import URLPattern, URLResolver, path

from accounts.pages import entrance, invitations, keys, lost_password, organizations, profile

app_name = "accounts"

SETTINGS = "dashboard/settings"
ORGANIZATION = f"{SETTINGS}/organizations/<slug:slug>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in", entrance.sign_in, name="sign-in"),
    path("sign-out", entrance.sign_out, name="sign-out"),
    path("sign-up", entrance.sign_up, name="sign-up"),
    # The admin's own form is not throttled; whoever is sent there signs in here.
    path("admin/login/", entrance.sign_in, name="admin-sign-in"),
    path("password-reset", lost_password.ask, name="password-reset"),
    path("password-reset/sent", lost_password.sent, name="password-reset-sent"),
    path("password-reset/<str:uidb64>/<str:token>", lost_password.Choose.as_view(), name="password-reset-choose"),
    path("invitations/<str:token>", invitations.accept, name="invitation"),
    path(SETTINGS, keys.listing, name="settings"),
    path(f"{SETTINGS}/keys/new", keys.create, name="new-key"),
    path(f"{SETTINGS}/keys/<int:key_id>/rotate", keys.rotate, name="rotate-key"),
    path(f"{SETTINGS}/keys/<int:key_id>/revoke", keys.revoke, name="revoke-key"),
    path(f"{SETTINGS}/profile", profile.profile, name="profile"),
    path(f"{SETTINGS}/profile/address/<str:token>", profile.confirm_address, name="confirm-address"),
    path(f"{SETTINGS}/plan", profile.plan, name="plan"),
    path(f"{SETTINGS}/organizations", organizations.listing, name="organizations"),
    path(ORGANIZATION, organizations.organization, name="organization"),
    path(f"{ORGANIZATION}/members/<int:user_id>/role", organizations.set_role, name="member-role"),
    path(f"{ORGANIZATION}/members/<int:user_id>/remove", organizations.remove, name="remove-member"),
    path(f"{ORGANIZATION}/invite", invitations.invite, name="invite"),
    path(f"{ORGANIZATION}/invitations/<int:invitation_id>/revoke", invitations.revoke, name="revoke-invitation"),
]
