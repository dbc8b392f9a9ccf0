// The API page's forms: each sends its route's request with the key typed above and shows the answer.
"use strict";

const keyForm = document.querySelector("[data-api-key]");
const keyField = keyForm.querySelector("input");
keyForm.hidden = false;
keyForm.addEventListener("submit", (event) => event.preventDefault());

// The address with the path's and the query's fields filled in.
function address(form) {
  let path = form.dataset.apiRoute;
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll("input[data-place]")) {
    if (field.dataset.place === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value.trim()));
    else if (field.value) query.append(field.name, field.value);
  }
  return query.size ? `${path}?${query}` : path;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function send(form) {
  const body = form.querySelector("[data-place=body]");
  const headers = { Authorization: `Bearer ${keyField.value.trim()}` };
  if (body) headers["Content-Type"] = "application/json";
  const began = performance.now();
  const answer = await fetch(address(form), {
    method: form.dataset.apiMethod,
    headers,
    body: body ? body.value : undefined,
    credentials: "omit",
    redirect: "manual",
  });
  const text = await answer.text();
  const status = answer.type === "opaqueredirect" ? "A redirect to a download" : `${answer.status} ${answer.statusText}`;
  return [`${status} in ${Math.round(performance.now() - began)} ms`, text ? pretty(text) : "No body"];
}

for (const form of document.querySelectorAll("[data-api-route]")) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!keyField.value.trim()) {
      keyField.focus();
      return;
    }
    const box = form.querySelector("[data-api-answer]");
    let shown;
    try {
      shown = await send(form);
    } catch {
      shown = ["No answer", "The platform could not be reached. Check your connection and send again."];
    }
    box.hidden = false;
    box.querySelector("[role=status]").textContent = shown[0];
    box.querySelector("code").textContent = shown[1];
  });
}
