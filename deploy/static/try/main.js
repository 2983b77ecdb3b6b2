// The page's course: account, consent, photos, styles, portraits; and everything back at once.

import * as api from "./api.js";
import { act, at, clear, complete, refuse, stage, tell } from "./dom.js";
import { begunErasure, loadHeld, showReceipt, wireData } from "./data.js";
import * as photos from "./photos.js";
import * as portraits from "./portraits.js";
import { language, say, speak, when } from "./words.js";

const PURPOSE = "portrait-generation";
const CLIENT = "try/1";
const OPEN = ["photos", "styles", "portraits", "data"];
let document_ = null;

// --- Account ------------------------------------------------------------------------------------

const form = at("account-form");
let mode = "signup";

function setMode(wanted) {
  mode = wanted;
  clear(form);
  for (const button of form.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === wanted));
  for (const part of form.querySelectorAll("[data-only]")) part.hidden = part.dataset.only !== wanted;
  const word = wanted === "signup" ? "sign_up" : "sign_in";
  at("account-go").dataset.say = word;
  at("account-go").textContent = say(word);
  at("password").autocomplete = wanted === "signup" ? "new-password" : "current-password";
}

form.addEventListener("click", (event) => {
  if (event.target.dataset.mode) setMode(event.target.dataset.mode);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!complete(form)) return;
  act(form, at("account-go"), async () => {
    const { email, password, region, is_adult } = form.elements;
    if (mode === "signup") await api.signUp({ email: email.value, password: password.value, region: region.value, is_adult: is_adult.checked });
    else await api.signIn(email.value, password.value);
    form.reset();
    await enter();
  });
});

at("sign-out").addEventListener("click", async () => {
  await api.signOut();
  leave();
  tell(say("signed_out"));
  at("email").focus();
});

function leave() {
  portraits.stop();
  photos.empty();
  at("sign-out").hidden = true;
  stage("account", "active");
  for (const name of ["consent", ...OPEN]) stage(name, "waiting");
}

async function enter() {
  const { account } = await loadHeld();
  at("sign-out").hidden = false;
  stage("account", "done", say("signed_in", account.email));
  // What is held can be seen and ended by whoever is signed in, signed consent or not.
  stage("data", "active");
  const signed = (await api.get("/v1/consents")).find((one) => one.purpose === PURPOSE);
  if (signed?.verb === "granted" && new Date(signed.expires_at) > new Date()) await agreed(signed);
  else await showConsent();
}

// --- Consent ------------------------------------------------------------------------------------

async function showConsent() {
  const path = `/v1/consents/documents?purpose=${PURPOSE}`;
  const found = await api.get(`${path}&language=${language}`);
  [document_] = found.length ? found : await api.get(path);
  at("consent-text").textContent = document_.text;
  at("consent-text").lang = document_.language;
  at("consent-hash").textContent = say("consent_hash", document_.version, document_.sha256);
  stage("consent", "active");
  at("consent-text").focus({ preventScroll: true });
  at("step-consent").scrollIntoView({ block: "start" });
}

at("consent-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = event.target;
  if (!complete(asked)) return;
  act(asked, asked.querySelector(".primary"), async () => {
    const body = { document: document_.id, typed_name: asked.elements.typed_name.value, agree: asked.elements.agree.checked, client: CLIENT };
    const entry = await api.post("/v1/consents", body);
    asked.reset();
    await agreed(entry);
    at("photo-front").focus({ preventScroll: true });
    at("step-photos").scrollIntoView({ block: "start" });
  });
});

// --- Everything behind it -------------------------------------------------------------------------

async function agreed(entry) {
  stage("consent", "done", say("signed", when(entry.expires_at)));
  for (const name of OPEN) stage(name, "active");
  await Promise.all([portraits.loadStyles(), photos.resume()]);
  await portraits.loadGallery();
  await portraits.resumeJob();
}

const held = () => loadHeld().catch(() => {});

at("styles-form").addEventListener("submit", (event) => {
  event.preventDefault();
  portraits.order(held);
});
addEventListener("job-ended", held);
addEventListener("session-ended", leave);

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", async () => {
    speak(button.dataset.language);
    setMode(mode);
    photos.draw(held);
    if (api.signedIn()) await enter().catch((error) => refuse(form, error));
  });
}

speak(language);
setMode(mode);
photos.draw(held);
portraits.wireViewer();
wireData(leave);
stage("account", "active");
const erasure = begunErasure();
if (erasure) showReceipt(erasure).catch(() => {});
else if (api.signedIn()) enter().catch((error) => refuse(form, error));
