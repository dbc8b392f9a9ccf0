// What pages can do a little better with a script: copying, the jump list, filters that apply themselves,
// arrow keys in charts, and saying so when what is shown is old or what was pressed did not work. Nothing needs it.

// Copy buttons come hidden, since without a script they could do nothing.
function revealCopyButtons(root) {
  for (const button of root.querySelectorAll("[data-copy], [data-copy-from]")) button.hidden = false;
}

// A button copies the element it names, the code it stands above, or what it carries.
function textOf(button) {
  const { copyFrom, copyCode, copy: carried } = button.dataset;
  if (copyFrom) return document.getElementById(copyFrom).textContent.trim();
  if (copyCode !== undefined) return button.closest(".code").querySelector("code").textContent;
  return carried;
}

async function copy(button) {
  const text = textOf(button);
  // Of one that was pressed a moment ago it is still what was said then.
  const label = (button.dataset.named ??= button.getAttribute("aria-label"));
  try {
    await navigator.clipboard.writeText(text);
    button.dataset.copied = "";
    button.setAttribute("aria-label", "Copied");
  } catch {
    button.setAttribute("aria-label", "Copying failed: select it instead");
  }
  setTimeout(() => {
    delete button.dataset.copied;
    button.setAttribute("aria-label", label);
  }, 1600);
}

const jump = document.getElementById("jump");

function openJump() {
  if (!jump || jump.open) return;
  document.getElementById("rail")?.matches(":popover-open") && document.getElementById("rail").hidePopover();
  jump.showModal();
  const search = jump.querySelector("input");
  search.select();
  search.dispatchEvent(new Event("jump", { bubbles: true }));
}

// Up and Down walk through the results; Enter in the search field opens the first.
function walkJump(event) {
  const links = [...jump.querySelectorAll(".jump-results a")];
  const search = jump.querySelector("input");
  const at = links.indexOf(document.activeElement);
  if (event.key === "ArrowDown" && links.length) (links[at + 1] ?? links[0]).focus();
  else if (event.key === "ArrowUp" && at >= 0) (links[at - 1] ?? search).focus();
  else if (event.key === "Enter" && document.activeElement === search && links.length) links[0].click();
  else return;
  event.preventDefault();
}

// What is found for more letters comes too late where somebody walks through what was found before.
document.addEventListener("htmx:after:request", (event) => {
  const { target } = event.detail.ctx;
  if (target?.id === "jump-results" && target.contains(document.activeElement)) event.preventDefault();
});

// One tab stop a chart; the arrows go from value to value.
function walkChart(event) {
  const point = event.target.closest(".chart svg g[tabindex]");
  if (!point) return;
  const points = [...point.parentNode.querySelectorAll("g[tabindex]")];
  const at = points.indexOf(point);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: points.length - 1 }[event.key];
  if (next === undefined || !points[next]) return;
  point.setAttribute("tabindex", "-1");
  points[next].setAttribute("tabindex", "0");
  points[next].focus();
  event.preventDefault();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from], [data-copy-code]");
  if (button) return void copy(button);
  if (event.target.closest("[data-jump]")) {
    event.preventDefault();
    openJump();
  } else if (event.target === jump) {
    jump.close();
  }
});

document.addEventListener("keydown", (event) => {
  if ((event.metaKey || event.ctrlKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openJump();
  } else if (jump?.open) walkJump(event);
  else walkChart(event);
});

document.addEventListener("change", (event) => {
  event.target.closest("form[data-applies-itself]")?.requestSubmit();
});

// The live region that an element keeps up to date. What a form in it is answered with is the form's own affair.
function liveRegionOf(element) {
  return element.matches?.("form") ? null : element.closest?.("[data-live]");
}

// A live region keeps what it last showed when the answer is an error or the sign-in page, and says that it is old.
document.addEventListener("htmx:before:response", (event) => {
  const region = liveRegionOf(event.target);
  if (!region) return;
  const { raw } = event.detail.ctx.response;
  const fresh = raw.ok && !raw.redirected;
  markStale(region, !fresh);
  if (!fresh) event.preventDefault();
});
document.addEventListener("htmx:error", (event) => {
  const region = liveRegionOf(event.target);
  if (region) markStale(region, true);
});

// What a stream keeps up to date is not old, whatever a poll before it said.
document.addEventListener("stream:open", (event) => markStale(event.target, false));

function markStale(region, stale) {
  region.toggleAttribute("data-stale", stale);
  for (const dot of region.querySelectorAll(".live")) {
    dot.textContent = stale ? "Not updating: the last answer failed" : "Live";
  }
}

// What was pressed and did not work must not look as if it had: whoever has to sign in again is led there, and anything
// else is said beside the button. 422 is a form with its errors, and is shown.
document.addEventListener("htmx:before:response", (event) => {
  const form = event.target.closest?.("form[data-hx-post]");
  if (!form) return;
  const { raw } = event.detail.ctx.response;
  if (raw.redirected && new URL(raw.url).pathname === "/sign-in") location.reload();
  else if (raw.status >= 400 && raw.status !== 422) say(form, `That did not work (${raw.status}). Reload the page and try again.`);
  else return;
  event.preventDefault();
});
document.addEventListener("htmx:error", (event) => {
  const form = event.target.closest?.("form[data-hx-post]");
  if (form) say(form, "The platform did not answer. Try again in a moment.");
});

function say(form, words) {
  let said = form.querySelector(":scope > [role='alert']");
  if (!said) {
    said = document.createElement("p");
    said.className = "small";
    said.setAttribute("role", "alert");
    form.append(said);
  }
  said.textContent = words;
}

document.addEventListener("htmx:after:swap", () => {
  revealCopyButtons(document);
  document.querySelector("[aria-invalid='true']")?.focus();
});

revealCopyButtons(document);
for (const apply of document.querySelectorAll("form[data-applies-itself] [data-apply]")) apply.hidden = true;
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
document.querySelector("[aria-invalid='true']")?.focus();
