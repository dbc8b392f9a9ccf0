"""URLs of the bots' pages, under /dashboard/bots/."""

from django.urls import path

from bots.pages import activity, bots, cases, gift_codes, returns, tickets

urlpatterns = [
    path("", bots.bot_list, name="list"),
    path("add", bots.add, name="add"),
    path("<int:bot_id>/", bots.overview, name="bot"),
    path("<int:bot_id>/check", bots.check, name="check"),
    path("<int:bot_id>/tickets", tickets.ticket_list, name="tickets"),
    path("<int:bot_id>/tickets/<int:ticket_id>", tickets.ticket, name="ticket"),
    path("<int:bot_id>/tickets/<int:ticket_id>/transcript", tickets.transcript, name="transcript"),
    path("<int:bot_id>/cases", cases.case_list, name="cases"),
    path("<int:bot_id>/cases/<int:case_id>", cases.case, name="case"),
    path("<int:bot_id>/cases/warn", cases.act, {"action": "warn"}, name="warn"),
    path("<int:bot_id>/cases/mute", cases.act, {"action": "mute"}, name="mute"),
    path("<int:bot_id>/cases/unmute", cases.act, {"action": "unmute"}, name="unmute"),
    path("<int:bot_id>/cases/kick", cases.act, {"action": "kick"}, name="kick"),
    path("<int:bot_id>/cases/ban", cases.act, {"action": "ban"}, name="ban"),
    path("<int:bot_id>/cases/unban", cases.act, {"action": "unban"}, name="unban"),
    path("<int:bot_id>/gift-codes", gift_codes.code_list, name="gift-codes"),
    path("<int:bot_id>/gift-codes/new", gift_codes.generate, name="generate-gift-codes"),
    path("<int:bot_id>/gift-codes/<int:code_id>", gift_codes.code, name="gift-code"),
    path("<int:bot_id>/gift-codes/<int:code_id>/revoke", gift_codes.revoke, name="revoke-gift-code"),
    path("<int:bot_id>/activity", activity.activity, name="activity"),
    path("<int:bot_id>/return", returns.returns, name="return"),
]
