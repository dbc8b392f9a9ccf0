// Keeps a region of a page up to date by server-sent events, so long as they come; without them it polls, as it says.
//
// <div id="…" data-live data-hx-get="…" data-hx-trigger="every 5s" …           what is done without a stream
//      data-stream="/its/stream" data-stream-after="12">                        the last number that the page shows
//
// An `append` adds its elements to the one of the region with [data-stream-list], unless they are there already. A
// `morph` changes the elements that have the ids of its own. A page's script may take either, or others that it names in
// data-stream-events, by listening to "stream:event" on the region and preventing what is done here. For them it exports
// `put` and `refresh`.

const AGAIN_MS = 30_000;
const streams = new WeakMap();

class Stream {
  constructor(region) {
    this.region = region;
    this.address = region.dataset.stream;
    this.after = region.dataset.streamAfter ?? "0";
    this.isOpen = this.isOver = false;
  }

  open() {
    if (this.source || this.isOver || document.hidden) return;
    clearTimeout(this.again);
    const address = new URL(this.address, location.href);
    address.searchParams.set("after", this.after);
    this.source = new EventSource(address);
    this.source.onopen = () => this.opened(true);
    this.source.onerror = () => this.failed();
    const names = (this.region.dataset.streamEvents ?? "").split(" ").filter(Boolean);
    for (const name of ["append", "morph", ...names]) this.source.addEventListener(name, (event) => this.take(event));
    this.source.addEventListener("over", () => {
      this.isOver = true;
      this.close();
      this.region.dispatchEvent(new CustomEvent("stream:over", { bubbles: true }));
    });
    this.source.addEventListener("cut", () => this.later());
  }

  close() {
    clearTimeout(this.again);
    this.source?.close();
    this.source = null;
    this.opened(false);
  }

  // While it is not open the region polls.
  opened(isOpen) {
    this.isOpen = isOpen;
    this.region.dispatchEvent(new CustomEvent(isOpen ? "stream:open" : "stream:closed", { bubbles: true }));
  }

  // A connection that broke is made again by the browser itself, one that was refused is not.
  failed() {
    if (this.source?.readyState === EventSource.CLOSED) this.later();
    else this.opened(false);
  }

  later() {
    this.close();
    this.again = setTimeout(() => this.open(), AGAIN_MS);
  }

  take(event) {
    if (event.lastEventId) this.after = event.lastEventId;
    const detail = { name: event.type, body: event.data, id: event.lastEventId };
    const told = new CustomEvent("stream:event", { bubbles: true, cancelable: true, detail });
    if (!this.region.dispatchEvent(told)) return;
    if (event.type === "append") append(this.region, event.data);
    else if (event.type === "morph") morph(event.data);
  }
}

function elementsOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.children];
}

function append(region, html) {
  const list = region.querySelector("[data-stream-list]");
  for (const element of elementsOf(html)) {
    if (list && !document.getElementById(element.id)) list.append(element);
  }
}

function morph(html) {
  put(html, () => {});
}

// Each element in the place of the one with its id, of which `before` is told; what has none yet is the caller's to place.
export function put(html, place, before = () => {}) {
  for (const element of elementsOf(html)) {
    const target = document.getElementById(element.id);
    if (!target) {
      place(element);
      continue;
    }
    before(target, element);
    swap(target, element);
  }
}

function swap(target, element) {
  htmx.swap({ sourceElement: target, target, text: element.outerHTML, swap: "outerMorph" });
}

// What the page says now, in the place of what the elements with these ids said; what it no longer has goes. Whether it
// could be asked: where it could not, the next poll asks again.
export async function refresh(...ids) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return false;
  const text = await answer.text().catch(() => null);
  if (text === null) return false;
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const id of ids) {
    const target = document.getElementById(id);
    const fresh = page.getElementById(id);
    if (target && fresh) swap(target, fresh);
    else target?.remove();
  }
  return true;
}

// A poll shows more than the stream told before it, and may lead to another stream. A form may be answered with a page from
// before what was told since: that is told once more.
function streamOf(region, wasSwapped) {
  const known = streams.get(region);
  const { stream, streamAfter = "0" } = region.dataset;
  const isSame = known?.address === stream;
  const isOlder = wasSwapped && isSame && known.isOpen && Number(streamAfter) < Number(known.after);
  const isCurrent = isSame && Number(known.after) >= Number(streamAfter);
  if (known && !isOlder && (isCurrent || known.isOpen)) return known;
  known?.close();
  streams.set(region, new Stream(region));
  return streams.get(region);
}

function openAll(swapped) {
  for (const region of document.querySelectorAll("[data-stream]")) streamOf(region, swapped?.contains(region)).open();
}

function closeAll() {
  for (const region of document.querySelectorAll("[data-stream]")) streams.get(region)?.close();
}

// A browser has few connections to one server for all its tabs: those that nobody sees hold none.
document.addEventListener("visibilitychange", () => (document.hidden ? closeAll() : openAll()));
addEventListener("pagehide", closeAll);
addEventListener("pageshow", () => openAll());

// What a stream keeps up to date is neither asked for nor replaced by an older answer.
for (const name of ["htmx:before:request", "htmx:before:response"]) {
  document.addEventListener(name, (event) => {
    const stream = streams.get(event.target);
    if (stream?.isOpen || stream?.isOver) event.preventDefault();
  });
}
document.addEventListener("htmx:after:swap", (event) => openAll(event.detail.ctx.target));
// What somebody unfolded stays so when what is in it changes.
htmx.config.morphIgnore.push("open");
openAll();
