import { createClient } from "/auth/client.js";

const auth = createClient();
const at = (id) => document.getElementById(id);
const sleep = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });
let socket;

function setOpen(isOpen) {
  at("send").disabled = !isOpen;
  at("state").textContent = isOpen ? "" : "Connecting …";
}

function show({ by, text }) {
  const line = document.createElement("li");
  line.append(Object.assign(document.createElement("b"), { textContent: by }), ` ${text}`);
  line.className = by === auth.user.data.username ? "mine" : "";
  at("messages").append(line);
  line.scrollIntoView();
}

/** Listen until the websocket is closed. The server sends the last messages first. */
async function listen() {
  socket = await auth.socket("/room");
  socket.onopen = () => {
    at("messages").replaceChildren();
    setOpen(true);
  };
  socket.onmessage = ({ data }) => show(JSON.parse(data));
  await new Promise((closed) => { socket.onclose = closed; });
}

at("writing").addEventListener("submit", (event) => {
  event.preventDefault();
  socket.send(event.target.elements.text.value);
  event.target.reset();
});
at("logout").addEventListener("click", auth.logout);

// Without a session, the server leads from this page to the login.
auth.onChange((user) => user ? (at("who").textContent = user.data.username) : location.reload());

for (;;) {
  // Being offline ends no session.
  await auth.session().then(listen).catch(() => {});
  setOpen(false);
  await sleep(1000);
}
