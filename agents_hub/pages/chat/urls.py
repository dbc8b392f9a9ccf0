"""URLs of the chat."""

from django.urls import path

from agents_hub.pages.chat import connecting, conversation, exporting, files, listing, live, media, records, saying

CHAT = "dashboard/chat/"
CONVERSATION = CHAT + "<uuid:conversation_id>/"
TURN = CHAT + "answers/<uuid:turn_id>/"

app_name = "chat"
urlpatterns = [
    path(CHAT, listing.conversation_list, name="list"),
    path(CHAT + "new", conversation.new, name="new"),
    path(CHAT + "new/<uuid:agent_id>", saying.begin, name="begin"),
    path(CONVERSATION, conversation.conversation, name="conversation"),
    path(CONVERSATION + "news", conversation.news, name="news"),
    path(CONVERSATION + "say", saying.say, name="say"),
    path(CONVERSATION + "edit", saying.edit, name="edit"),
    path(CONVERSATION + "again", saying.again, name="again"),
    path(CONVERSATION + "branch", saying.branch, name="branch"),
    path(CONVERSATION + "reply", saying.reply, name="reply"),
    path(CONVERSATION + "connect/<int:server_id>", connecting.connect, name="connect"),
    path(CONVERSATION + "files/remove", files.remove, name="remove-file"),
    path(CONVERSATION + "export.<str:suffix>", exporting.export, name="export"),
    path(CONVERSATION + "rename", listing.rename, name="rename"),
    path(CONVERSATION + "pin", listing.pin, name="pin"),
    path(CONVERSATION + "delete", listing.delete, name="delete"),
    path(TURN + "stream", live.turn_stream, name="stream"),
    path(TURN + "record", records.record, name="record"),
    path(TURN + "retry", saying.retry, name="retry"),
    path(TURN + "stop", saying.stop, name="stop"),
    path(CHAT + "results/<uuid:use_id>", media.whole, name="whole-result"),
    path(CHAT + "results/<uuid:use_id>/<int:number>", media.content, name="result"),
]
