// What an execution's page does besides what every live region does: it changes the form when the agent asks something
// or has its answer, unless somebody is writing in it, shows the rest of the end, and says its status in the tab.

import { refresh } from "../dashboard/streams.js";

const region = document.getElementById("execution");

region?.addEventListener("stream:event", (event) => {
  if (event.detail.name !== "form") return;
  const say = document.getElementById("say");
  if (say && say.dataset.asks !== event.detail.body && !isWrittenIn(say)) refresh("say");
});
region?.addEventListener("stream:over", () => {
  const say = document.getElementById("say");
  refresh("facts", "execution", ...(say && !isWrittenIn(say) ? ["say"] : []));
});

document.addEventListener("htmx:after:swap", () => {
  const status = document.querySelector("#now .badge")?.textContent;
  if (status) document.title = document.title.replace(/^[^:]*/, status);
});

function isWrittenIn(say) {
  const fields = [...say.querySelectorAll("textarea, input:not([type='hidden'])")];
  return fields.some((field) => ("checked" in field && field.checked !== field.defaultChecked) || field.value !== field.defaultValue);
}
