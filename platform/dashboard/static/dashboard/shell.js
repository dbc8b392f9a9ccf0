// What pages can do a little better with a script: copying, the jump list, filters that apply themselves, times that
// go on and are the viewer's own, arrow keys in charts, and saying so when what is shown is old or what was pressed did
// not work. Nothing needs it.

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

// What was "just now" when the page was made is not, an hour later. A viewer's clock that is slow or fast turns nothing
// that was into what will be.
const TOLD_AGAIN_MS = 15_000;
const SPANS = [["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3_600], ["minute", 60]];

function inWords(seconds, isPast) {
  for (const [name, length] of SPANS) {
    const count = Math.floor(seconds / length);
    if (count < 1) continue;
    const span = `${count} ${name}${count === 1 ? "" : "s"}`;
    return isPast ? `${span} ago` : `in ${span}`;
  }
  return isPast ? "just now" : "in a moment";
}

function tellTimes() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const seconds = (Date.now() - new Date(time.dateTime)) / 1000;
    const isPast = seconds >= 0 || !time.textContent.startsWith("in ");
    const words = inWords(isPast ? seconds : -seconds, isPast);
    if (time.textContent !== words) time.textContent = words;
  }
}

const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "long" });

document.addEventListener("pointerover", (event) => {
  const time = event.target.closest?.("time[datetime]");
  if (time) time.title = EXACT.format(new Date(time.dateTime));
});

// Moments that somebody types into a filter are the viewer's own, unless the address has some already and says whose.
function takeZone(input) {
  const form = input.form;
  const moments = [...form.querySelectorAll("[type='datetime-local']")];
  const isAsked = () => moments.some((moment) => moment.value);
  if (!isAsked()) {
    input.value = EXACT.resolvedOptions().timeZone;
    for (const name of form.querySelectorAll("[data-zone-name]")) name.textContent = input.value;
  }
  form.addEventListener("submit", () => (input.disabled = !isAsked()));
}

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

// A button pressed twice acts once. Asked last of all, when a script that sends the form itself has said so; a page that
// somebody comes back to, or that stays because the answer was a file, can be sent again.
const SENT_MS = 10_000;
const sent = new Map();

addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (performance.now() - (sent.get(form) ?? -Infinity) < SENT_MS) event.preventDefault();
  else sent.set(form, performance.now());
});
addEventListener("pageshow", () => sent.clear());

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

// To the first field with an error, and within it to the place that is named: "line:column", both from 1.
function focusOnFault() {
  const field = document.querySelector("[aria-invalid='true']");
  if (field?.dataset.caret) {
    const [line, column] = field.dataset.caret.split(":").map(Number);
    const before = field.value.split("\n").slice(0, line - 1).join("\n");
    const at = before.length + (line > 1) + column - 1;
    field.setSelectionRange(at, at + 1);
    field.scrollTop = (line / field.value.split("\n").length) * field.scrollHeight - field.clientHeight / 2;
  }
  field?.focus();
}

// A picture that is larger than its frame is scrolled to where a run stands, whenever that is elsewhere than before.
const stood = new WeakMap();

function showWhereItStands() {
  for (const frame of document.querySelectorAll(".graph")) {
    const here = frame.querySelector(".current, .failed");
    const id = here?.dataset.node;
    if (!id || stood.get(frame) === id) continue;
    stood.set(frame, id);
    const [around, box] = [frame, here].map((one) => one.getBoundingClientRect());
    const isOut = box.left < around.left || box.right > around.right || box.top < around.top || box.bottom > around.bottom;
    if (isOut) frame.scrollBy(box.left + (box.width - around.width) / 2 - around.left, box.top + (box.height - around.height) / 2 - around.top);
  }
}

document.addEventListener("htmx:after:swap", () => {
  revealCopyButtons(document);
  showWhereItStands();
  focusOnFault();
});

revealCopyButtons(document);
tellTimes();
setInterval(tellTimes, TOLD_AGAIN_MS);
document.addEventListener("visibilitychange", tellTimes);
document.querySelectorAll("[data-time-zone]").forEach(takeZone);
for (const apply of document.querySelectorAll("form[data-applies-itself] [data-apply]")) apply.hidden = true;
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
showWhereItStands();
focusOnFault();
