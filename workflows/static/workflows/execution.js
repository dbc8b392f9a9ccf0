// What an execution's page does besides what every live region does: it changes the form when the agent asks something
// or has its answer, unless somebody is writing in it, and shows the rest of the end.

const region = document.getElementById("execution");

region?.addEventListener("stream:event", (event) => {
  if (event.detail.name !== "form") return;
  const say = document.getElementById("say");
  if (say && say.dataset.asks !== event.detail.body && !isWrittenIn(say)) refresh(["say"]);
});
region?.addEventListener("stream:over", () => {
  const say = document.getElementById("say");
  refresh(["facts", "execution", ...(say && !isWrittenIn(say) ? ["say"] : [])]);
});

function isWrittenIn(say) {
  const fields = [...say.querySelectorAll("textarea, input:not([type='hidden'])")];
  return fields.some((field) => ("checked" in field && field.checked !== field.defaultChecked) || field.value !== field.defaultValue);
}

// What the page says now, in the place of what these elements said.
async function refresh(names) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const name of names) {
    const target = document.getElementById(name);
    const fresh = page.getElementById(name);
    if (target && fresh) htmx.swap({ sourceElement: target, target, text: fresh.outerHTML, swap: "outerMorph" });
    else target?.remove();
  }
}
