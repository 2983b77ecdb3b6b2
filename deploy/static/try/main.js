// The page's course: account, consent, photos, styles, portraits; and everything back at once.

import { setMode, wireAccount, wireDevices } from "./account.js";
import * as api from "./api.js";
import { allowPhotos, setFrom, wireChoices } from "./choices.js";
import { act, at, complete, refuse, stage, tell } from "./dom.js";
import { begunErasure, loadHeld, showReceipt, wireData } from "./data.js";
import { forgetPictures, loadGallery, wireViewer } from "./gallery.js";
import * as order from "./order.js";
import * as photos from "./photos.js";
import { language, say, speak, when } from "./words.js";

const PURPOSE = "portrait-generation";
const CLIENT = "try/1";
const OPEN = ["photos", "styles", "portraits", "data"];
let text = null;

function leave() {
  order.stop();
  forgetPictures();
  photos.empty();
  at("sign-out").hidden = at("withdraw").hidden = true;
  delete document.body.dataset.signed;
  stage("account", "active");
  for (const name of ["consent", ...OPEN]) stage(name, "waiting");
}

async function enter() {
  const { account } = await loadHeld();
  at("sign-out").hidden = false;
  document.body.dataset.signed = "yes";
  stage("account", "done", say("signed_in", account.email));
  // What is held can be seen and ended by whoever is signed in, and somebody who does not exist can
  // be painted, signed consent or not.
  for (const name of ["styles", "portraits", "data"]) stage(name, "active");
  const signed = (await api.get("/v1/consents")).find((one) => one.purpose === PURPOSE);
  const holds = signed?.verb === "granted" && new Date(signed.expires_at) > new Date();
  allowPhotos(holds);
  if (holds) await agreed(signed);
  else await showConsent();
  await order.loadStyles();
  await loadGallery();
  await order.resumeJob();
}

at("sign-out").addEventListener("click", async () => {
  await api.signOut();
  leave();
  tell(say("signed_out"));
  at("email").focus();
});

// --- Consent ------------------------------------------------------------------------------------

async function showConsent() {
  const path = `/v1/consents/documents?purpose=${PURPOSE}`;
  const found = await api.get(`${path}&language=${language}`);
  [text] = found.length ? found : await api.get(path);
  at("consent-text").textContent = text.text;
  at("consent-text").lang = text.language;
  at("consent-hash").textContent = say("consent_hash", text.version, text.sha256);
  at("withdraw").hidden = true;
  stage("photos", "waiting");
  stage("consent", "active");
  at("consent-text").focus({ preventScroll: true });
  at("step-consent").scrollIntoView({ block: "start" });
}

async function agreed(entry) {
  stage("consent", "done", say("signed", when(entry.expires_at)));
  at("withdraw").hidden = false;
  stage("photos", "active");
  await photos.resume();
}

at("consent-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  if (!complete(form)) return;
  act(form, form.querySelector(".primary"), async () => {
    const { typed_name, agree } = form.elements;
    const entry = await api.post("/v1/consents", { document: text.id, typed_name: typed_name.value, agree: agree.checked, client: CLIENT });
    form.reset();
    allowPhotos(true);
    await agreed(entry);
    at("photo-front").focus({ preventScroll: true });
    at("step-photos").scrollIntoView({ block: "start" });
  });
});

// As easy as giving it: one press, and finished portraits stay until their owner deletes them.
at("withdraw").addEventListener("click", () => act(at("step-photos"), at("withdraw"), async () => {
  await api.post("/v1/consents/withdrawal", { purpose: PURPOSE, portraits: "keep", client: CLIENT });
  photos.empty();
  allowPhotos(false);
  await showConsent();
  tell(say("withdrawn"));
  await held();
}));

// --- Everything behind it -------------------------------------------------------------------------

const held = () => loadHeld().catch(() => {});

at("styles-form").addEventListener("submit", (event) => {
  event.preventDefault();
  order.order(held);
});
addEventListener("painted", () => loadGallery().catch((error) => refuse(at("step-portraits"), error)));
addEventListener("job-ended", held);
addEventListener("session-ended", leave);

const entered = () => enter().catch((error) => refuse(at("account-form"), error));

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", async () => {
    speak(button.dataset.language);
    setMode();
    setFrom();
    photos.draw(held);
    if (api.signedIn()) await entered();
  });
}

speak(language);
setMode();
photos.draw(held);
wireAccount(enter);
wireDevices();
wireChoices();
wireViewer();
wireData(leave);
stage("account", "active");
const erasure = begunErasure();
if (erasure) showReceipt(erasure).catch(() => {});
else if (api.signedIn()) entered();
