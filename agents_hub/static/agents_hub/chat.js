// What a conversation's page does besides what every live region does: it shows an answer as it comes, sends with Enter,
// keeps to the end of what is said, and asks again where there is no stream. Without it everything is a form.

import { put } from "../dashboard/streams.js";

const chat = document.getElementById("chat");
// How far from the end somebody may be and still be taken for reading it.
const NEAR_PX = 120;
let isStreaming = false;
// What is asked for this page is numbered; `shown` is the latest whose answer stands here.
let asked = 0;
let shown = 0;

const isNearEnd = () => document.documentElement.scrollHeight - innerHeight - scrollY < NEAR_PX;
const toEnd = () => scrollTo(0, document.documentElement.scrollHeight);

// What the page was given with a reload or a poll, it is not given again by the stream.
const isKnown = (id) => id && Number(id) <= Number(chat.dataset.streamAfter ?? 0);

document.addEventListener("stream:event", (event) => {
  if (event.target !== chat) return;
  const { name, body, id } = event.detail;
  if (!["put", "text", "settled", "none"].includes(name)) return;
  event.preventDefault();
  if (isKnown(id)) return;
  const follows = isNearEnd();
  if (name === "put") show(body);
  else if (name === "text") write(JSON.parse(body));
  else if (name === "settled") settle(JSON.parse(body));
  if (follows) toEnd();
});

// An element in the place of the one with its id, or at the end of the answer that it belongs to.
function show(html) {
  put(html, (element) => document.getElementById(element.dataset.in)?.append(element), (target, element) => {
    // With the end of a round comes what its last block says.
    const unheard = target.querySelector(":scope > .tail")?.textContent;
    if (unheard && !element.querySelector(":scope > .tail")) hear(element.lastElementChild?.outerHTML ?? "");
  });
  for (const button of chat.querySelectorAll("[data-copy-from][hidden]")) button.hidden = false;
}

function write({ into, text }) {
  document.querySelector(`#${into} > .tail`)?.append(text);
}

// Blocks that are complete stand before what is still being written.
function settle({ into, html, tail }) {
  const place = document.querySelector(`#${into} > .tail`);
  if (!place) return;
  place.insertAdjacentHTML("beforebegin", html);
  place.textContent = tail;
  hear(html);
}

// Of each answer its beginning is read out, block by block: who wants the rest goes to it and reads.
const MOST_HEARD = 1_000;
let heard = 0;

function hear(html) {
  const log = document.getElementById("heard");
  if (!log || heard >= MOST_HEARD) return;
  const words = document.createElement("p");
  words.innerHTML = html;
  for (const button of words.querySelectorAll("button")) button.remove();
  words.textContent = words.textContent.trim().slice(0, MOST_HEARD - heard);
  heard += words.textContent.length;
  if (words.textContent) log.append(words);
}

document.addEventListener("stream:open", () => (isStreaming = true));
document.addEventListener("stream:closed", () => (isStreaming = false));
document.addEventListener("stream:over", () => {
  heard = 0;
  document.getElementById("heard")?.replaceChildren();
  refresh();
});

// What the page says now, in the place of what it said.
async function refresh() {
  const number = ++asked;
  const { stream } = chat.dataset;
  // Where it cannot be asked now, the next poll asks again.
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("chat");
  // What was sent meanwhile has been answered, perhaps with the beginning of another answer.
  if (number < shown || chat.dataset.stream !== stream) return;
  const follows = isNearEnd();
  if (fresh) htmx.swap({ sourceElement: chat, target: chat, text: fresh.outerHTML, swap: "outerMorph", number });
  if (follows) toEnd();
}

document.addEventListener("htmx:before:request", (event) => {
  if (event.detail.ctx.target === chat) event.detail.ctx.number = ++asked;
  if (event.target.id === "pulse" && (isStreaming || document.hidden)) event.preventDefault();
});

// That there is nothing new is no page: it does not stand in the way of one that was asked for before.
document.addEventListener("htmx:after:request", (event) => {
  if (event.target.id !== "pulse") return;
  const { number, response } = event.detail.ctx;
  if (isStreaming || number < shown || response?.raw.status === 204) event.preventDefault();
});

document.addEventListener("htmx:after:swap", (event) => {
  const { target, number, response } = event.detail.ctx;
  if (target !== chat) return;
  if (number > shown) shown = number;
  // A form that was answered late put an older page here; what it refused has to be seen.
  else if (response?.raw.ok) refresh();
});

// Other tabs of this browser with the same conversation see at once what is said in one of them, and not at their next poll.
const tabs = new BroadcastChannel(location.pathname);
tabs.addEventListener("message", () => refresh());

// What was sent is no longer being written.
document.addEventListener("htmx:before:response", (event) => {
  const form = event.target;
  if (!form.matches?.("form[data-hx-post]") || !event.detail.ctx.response.raw.ok) return;
  tabs.postMessage("said");
  if (form.id === "composer") {
    keep("");
    document.getElementById("text").value = document.getElementById("text").defaultValue = "";
    document.getElementById("files").value = "";
  }
  for (const open of document.querySelectorAll(".edit[open]")) open.open = false;
  if (form.id !== "reply") document.addEventListener("htmx:after:swap", toEnd, { once: true });
});

// What is typed and not sent yet is kept by this tab, for when the page is loaded again.
const TYPED = `typed ${location.pathname}`;

function keep(text) {
  try {
    if (text) sessionStorage.setItem(TYPED, text);
    else sessionStorage.removeItem(TYPED);
  } catch {
    // Where nothing may be stored nothing is kept.
  }
}

function giveBack() {
  const field = document.getElementById("text");
  try {
    if (field && !field.value) field.value = sessionStorage.getItem(TYPED) ?? "";
  } catch {
    // As above.
  }
}

document.addEventListener("input", (event) => {
  if (event.target.id === "text") keep(event.target.value);
});

// A form that loads the page anew, as the first message's does: what it could not send, the page shows.
document.addEventListener("submit", (event) => {
  if (event.target.id === "composer" && !event.target.hasAttribute("data-hx-post")) keep("");
});

giveBack();

// A button that leads elsewhere, to connect a server, takes the whole page there, with what was typed.
document.addEventListener("submit", (event) => {
  if (event.submitter?.hasAttribute("formaction")) event.stopImmediatePropagation();
}, true);

document.addEventListener("keydown", (event) => {
  if (event.target.id !== "text" || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  // On a phone the key begins a line, for there is no other.
  if (matchMedia("(pointer: coarse)").matches) return;
  event.preventDefault();
  const send = document.getElementById("send");
  if (send && (event.target.value.trim() || document.getElementById("files").files.length)) event.target.form.requestSubmit(send);
});

// A button that has had its effect is gone, and with it the place of whoever works by keyboard: they go on at the call that
// they answered for, else where they write. Not on a phone, which would show its keyboard for that.
let left = null;

document.addEventListener("focusin", ({ target }) => {
  left = { element: target, use: target.closest("#chat .use")?.id };
});

document.addEventListener("htmx:after:swap", () => {
  if (!left || left.element.isConnected || document.activeElement !== document.body) return;
  const summary = left.use && document.querySelector(`#${left.use} summary`);
  left = null;
  if (summary || !matchMedia("(pointer: coarse)").matches) (summary ?? document.getElementById("text"))?.focus();
});

// Files that are dropped anywhere on the chat, or pasted into the message, go with it.
function attach(files) {
  const field = document.getElementById("files");
  if (!field || !files.length) return false;
  const all = new DataTransfer();
  for (const file of [...field.files, ...files]) all.items.add(file);
  field.files = all.files;
  return true;
}

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files") && document.getElementById("files");
document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  chat.classList.add("dropping");
});
for (const name of ["dragleave", "drop"]) document.addEventListener(name, () => chat.classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  if (carriesFiles(event) && attach(event.dataTransfer.files)) event.preventDefault();
});
document.addEventListener("paste", (event) => {
  if (event.target.id === "text" && attach(event.clipboardData.files)) event.preventDefault();
});

if (chat?.querySelector(".message")) toEnd();
