// Shows how far an upload is. Without this script the form is sent as any other.
for (const form of document.querySelectorAll("form[data-upload]")) {
  form.addEventListener("submit", (event) => {
    const files = [...form.querySelector("input[type=file]").files];
    if (!files.length) return;
    event.preventDefault();
    send(form);
  });
}

function send(form) {
  const button = form.querySelector("button");
  const progress = document.createElement("progress");
  progress.max = 100;
  progress.value = 0;
  progress.setAttribute("aria-label", "Uploaded");
  const said = document.createElement("p");
  said.className = "small faint";
  said.setAttribute("role", "status");
  form.append(progress, said);
  button.disabled = true;

  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    progress.value = Math.round((event.loaded / event.total) * 100);
    said.textContent = progress.value < 100 ? `${progress.value} % sent` : "Storing";
  });
  request.addEventListener("load", () => {
    if (request.responseURL !== form.action && request.status < 400) {
      location.assign(request.responseURL);
    } else if (request.status < 400) {
      location.reload();
    } else {
      show(request.responseText);
    }
  });
  const failed = () => {
    progress.remove();
    button.disabled = false;
    said.textContent = "The upload broke off, and nothing of it was kept. Send it again.";
  };
  request.addEventListener("error", failed);
  request.addEventListener("abort", failed);
  request.open("POST", form.action || location.href);
  request.send(new FormData(form));
}

// The answer is the whole page with the error under its field: its content takes the place of ours.
function show(text) {
  const answer = new DOMParser().parseFromString(text, "text/html");
  const main = answer.querySelector("main");
  if (!main) return location.reload();
  document.querySelector("main").replaceWith(document.importNode(main, true));
  for (const form of document.querySelectorAll("form[data-upload]")) {
    form.addEventListener("submit", (event) => {
      if (![...form.querySelector("input[type=file]").files].length) return;
      event.preventDefault();
      send(form);
    });
  }
  document.querySelector("[aria-invalid='true']")?.focus();
}
