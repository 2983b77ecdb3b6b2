// Asks the browser for a passkey, and sends the page's form with what it answers.
"use strict";

const button = document.getElementById("passkey-go");
const options = JSON.parse(document.getElementById("passkey-options").textContent).publicKey;
const form = document.getElementById("passkey-form");
const trouble = document.getElementById("passkey-trouble");

const ask = {
  get: async () =>
    navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
    }),
  create: async () =>
    navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
    }),
};

button.addEventListener("click", async () => {
  trouble.hidden = true;
  try {
    const said = await ask[button.dataset.verb]();
    form.elements.credential.value = JSON.stringify(said.toJSON());
    form.submit();
  } catch {
    // The person has thought better of it, or this page's address is none that passkeys work at.
    trouble.hidden = false;
  }
});
