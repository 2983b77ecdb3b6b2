// Every word of the page, in the languages that it speaks. {0} and {1} are filled in by say().

const en = {
  title: "Try Sitter", skip: "Skip to the content", facts: "Privacy facts", sign_out: "Sign out",
  claim: "Your face is a guest, never a resident.",
  lede: "Hand in a few photos of yourself, pick a style, and get portraits. The photos are destroyed as soon as they have served.",
  promise_photos: "Photos go when your order ends, after 24 hours at the latest.",
  promise_training: "No model is ever trained on you.",
  promise_keys: "Portraits are sealed under keys of your own.",
  promise_erase: "One button erases everything, with a signed receipt.",
  h_account: "Account", sign_up: "Sign up", sign_in: "Sign in", account_or: "New here, or not?",
  email: "E-mail", password: "Password", password_hint: "Eight characters or more, and none that everybody uses.",
  region: "Where you live", region_eu_uk: "European Union or United Kingdom", region_other: "Elsewhere",
  region_hint: "It decides which consent text you are shown.", is_adult: "I am 18 or older.",
  signed_in: "Signed in as {0}.", signed_out: "You are signed out.",
  h_consent: "Consent", h_text: "The text that you sign", h_held: "Sealed things", h_statement: "The signed statement", consent_lede: "This is the whole text. Nothing is ticked for you.",
  consent_hash: "Version {0}, SHA-256 {1}", typed_name: "Your name, typed by you: your signature",
  agree: "I have read this text and sign it.", sign: "Sign", signed: "Signed; it holds until {0}.",
  h_photos: "Photos",
  photos_lede: "Five are best, one is enough. Each is looked at when it arrives; drop a file on a frame or press it.",
  front: "From the front", three_quarter_left: "Turned to your left", three_quarter_right: "Turned to your right",
  half_body: "Down to the waist", full_body: "All of you",
  choose: "Choose a photo: {0}", checking: "Looking at it …", accepted: "Good", remove: "Take out", removed: "The photo is destroyed.",
  not_seen: "It could not be checked in time. Send it again.",
  h_styles: "Styles", styles_lede: "Pick one or several; the pictures show somebody who was drawn.",
  not_running: "not running here now", paint: "Paint", allowance: "{0} of {1} portraits are left today.",
  none_chosen: "Pick at least one style.", no_photo: "Hand in at least one photo first.",
  h_portraits: "Portraits", gallery_empty: "Nothing is painted yet.", cancel: "Stop",
  queued: "Waiting", running: "Painting", done: "Done", failed: "Failed", cancelled: "Stopped", blocked: "Held back", expired: "Too late",
  ahead: "{0} before you", eta: "about {0}", percent: "{0} %",
  fetching: "opening your photos", loading: "preparing", painting: "painting", storing: "sealing",
  item_failed: "It did not work out and does not count.", blocked_unsafe: "It came out indecent and was not stored. Choose another style.",
  blocked_no_face: "The face was lost, so it was not stored. Try another style or a clearer photo.",
  photos_gone: "All painted. Your photos are destroyed.",
  open: "Open: {0}", portrait_of: "Portrait, {0}", ends: "Destroyed in {0}.", close: "Close", save: "Save", shorten: "Keep one day only",
  delete_one: "Delete this portrait", deleted: "The portrait is destroyed.", shortened: "It ends earlier now.",
  h_data: "What we hold on you", held_lede: "{0} sealed things, and your account ({1}). Nothing else that shows you.",
  held_what: "What", held_size: "Size", held_ends: "Ends in", held_rows: "And these rows in our tables", held_row: "{0}: {1} ({2})",
  upload: "Photo as you sent it", reference: "Cleaned photo", portrait: "Portrait", rendition: "Smaller size of a portrait",
  export: "Copy of everything", prompt: "Your words", source: "Portrait lent for an order", check: "Picture that you asked about",
  refresh: "Look again", erase: "Delete everything", keep: "Keep it",
  leave_title: "Delete everything?",
  leave_lede: "Photos, portraits, keys and the account go at once, and cannot be brought back by anybody. You get a signed receipt.",
  leave_password: "Your password, once more",
  h_receipt: "Your receipt", receipt_number: "Number of this erasure; it fetches the receipt without an account:",
  erasing: "Nothing of yours can be opened any more. The proof is being made …",
  erased: "Erased and proved on {0}.", slow_proof: "Erased. The proof takes longer than usual; come back with the number below.",
  genuine: "Genuine: this browser checked the signature against the published key.",
  not_genuine: "Not genuine: no published key has signed this.",
  not_checked: "This browser cannot check Ed25519 signatures here. verify_receipt.py can.",
  start_again: "Start again",
  forgot: "I forgot my password", send_code: "Send me a code", code: "Code", new_password: "New password", go_on: "Go on", code_again: "Send another code", back: "Back",
  code_sent: "If this address is known here, a code is on its way to {0}. Type it in.",
  withdraw: "Take it back", withdrawn: "Taken back. Your photos are destroyed; finished portraits stay until you delete them.",
  paint_from: "Paint from", from_photos: "From my photos", from_choices: "Somebody who does not exist",
  sign_first: "For portraits of yourself, sign the consent above first.",
  choices_lede: "No photo and no consent is needed for this.", own_words: "In your words, if you like",
  variations: "Of each style", shape: "Shape", shape_any: "As the style says", headshot_shape: "Square, 1:1", portrait_shape: "Portrait, 4:5", classic_shape: "Classic, 3:4", story_shape: "Story, 9:16", banner_shape: "Banner, 16:9",
  archive: "All as one file", retry: "Try again", more: "Show more", all_painted: "All painted.",
  share: "Share", lent: "Opens this picture once, within a minute:", copied: "The address is copied. It opens the picture once.",
  longer: "Keep it a year", lengthened: "It is kept longer now.",
  h_change: "Make something of it", change: "What", change_style: "Style", change_detail: "Detail", faithful: "Keep to what is there", rich: "Invent some",
  change_words: "What to change, in your words", variation_change: "Another one like it", restyle_change: "Another style", upscale_change: "Four times as large", edit_change: "A change in words",
  text_made: "from choices", edit_made: "from a portrait", upscale_made: "enlarged",
  devices: "Where you are signed in", device_here: "Here, since {0}", device_other: "Elsewhere, since {0}, last used {1}", device_end: "Sign out there", device_ended: "That session has ended.",
  offline: "The service does not answer. Check your connection and try again.",
  ended: "Your session has ended. Sign in again.",
  days: "{0} days", day: "1 day", hours: "{0} h {1} min", minutes: "{0} min {1} s", seconds: "{0} s", over: "now",
};

const de = {
  title: "Sitter ausprobieren", skip: "Zum Inhalt springen", facts: "Datenschutz in Fakten", sign_out: "Abmelden",
  claim: "Dein Gesicht ist zu Gast und wohnt hier nie.",
  lede: "Gib ein paar Fotos von dir ab, wähle einen Stil und bekomme Porträts. Die Fotos werden zerstört, sobald sie gedient haben.",
  promise_photos: "Fotos gehen mit dem Ende deines Auftrags, spätestens nach 24 Stunden.",
  promise_training: "Kein Modell wird je mit dir trainiert.",
  promise_keys: "Porträts liegen versiegelt unter deinen eigenen Schlüsseln.",
  promise_erase: "Ein Knopf löscht alles, mit unterschriebener Quittung.",
  h_account: "Konto", sign_up: "Registrieren", sign_in: "Anmelden", account_or: "Neu hier oder nicht?",
  email: "E-Mail", password: "Passwort", password_hint: "Mindestens acht Zeichen, und keines, das alle benutzen.",
  region: "Wo du wohnst", region_eu_uk: "Europäische Union oder Vereinigtes Königreich", region_other: "Anderswo",
  region_hint: "Davon hängt ab, welchen Einwilligungstext du siehst.", is_adult: "Ich bin 18 oder älter.",
  signed_in: "Angemeldet als {0}.", signed_out: "Du bist abgemeldet.",
  h_consent: "Einwilligung", h_text: "Der Text, den du unterschreibst", h_held: "Versiegelte Dinge", h_statement: "Die unterschriebene Aussage", consent_lede: "Das ist der ganze Text. Nichts ist für dich angekreuzt.",
  consent_hash: "Fassung {0}, SHA-256 {1}", typed_name: "Dein Name, von dir getippt: deine Unterschrift",
  agree: "Ich habe diesen Text gelesen und unterschreibe ihn.", sign: "Unterschreiben", signed: "Unterschrieben; gilt bis {0}.",
  h_photos: "Fotos",
  photos_lede: "Fünf sind am besten, eines genügt. Jedes wird angesehen, wenn es ankommt; zieh eine Datei auf einen Rahmen oder drücke ihn.",
  front: "Von vorn", three_quarter_left: "Nach links gedreht", three_quarter_right: "Nach rechts gedreht",
  half_body: "Bis zur Hüfte", full_body: "Ganz",
  choose: "Foto wählen: {0}", checking: "Wird angesehen …", accepted: "Gut", remove: "Entfernen", removed: "Das Foto ist zerstört.",
  not_seen: "Es konnte nicht rechtzeitig geprüft werden. Sende es noch einmal.",
  h_styles: "Stile", styles_lede: "Wähle einen oder mehrere; die Bilder zeigen jemanden, der gezeichnet ist.",
  not_running: "läuft hier gerade nicht", paint: "Malen", allowance: "Heute sind noch {0} von {1} Porträts übrig.",
  none_chosen: "Wähle mindestens einen Stil.", no_photo: "Gib zuerst mindestens ein Foto ab.",
  h_portraits: "Porträts", gallery_empty: "Noch ist nichts gemalt.", cancel: "Anhalten",
  queued: "Wartet", running: "Wird gemalt", done: "Fertig", failed: "Misslungen", cancelled: "Angehalten", blocked: "Zurückgehalten", expired: "Zu spät",
  ahead: "{0} vor dir", eta: "etwa {0}", percent: "{0} %",
  fetching: "deine Fotos werden geöffnet", loading: "wird vorbereitet", painting: "wird gemalt", storing: "wird versiegelt",
  item_failed: "Es ist misslungen und zählt nicht.", blocked_unsafe: "Es wurde unanständig und nicht gespeichert. Wähle einen anderen Stil.",
  blocked_no_face: "Das Gesicht ging verloren, darum wurde es nicht gespeichert. Versuche einen anderen Stil oder ein klareres Foto.",
  photos_gone: "Alles ist gemalt. Deine Fotos sind zerstört.",
  open: "Öffnen: {0}", portrait_of: "Porträt, {0}", ends: "Wird zerstört in {0}.", close: "Schließen", save: "Sichern", shorten: "Nur einen Tag behalten",
  delete_one: "Dieses Porträt löschen", deleted: "Das Porträt ist zerstört.", shortened: "Es endet jetzt früher.",
  h_data: "Was wir von dir haben", held_lede: "{0} versiegelte Dinge und dein Konto ({1}). Sonst nichts, was dich zeigt.",
  held_what: "Was", held_size: "Größe", held_ends: "Endet in", held_rows: "Und diese Zeilen in unseren Tabellen", held_row: "{0}: {1} ({2})",
  upload: "Foto, wie du es geschickt hast", reference: "Bereinigtes Foto", portrait: "Porträt", rendition: "Kleinere Größe eines Porträts",
  export: "Kopie von allem", prompt: "Deine Worte", source: "Porträt, für einen Auftrag geliehen", check: "Bild, nach dem du gefragt hast",
  refresh: "Noch einmal nachsehen", erase: "Alles löschen", keep: "Behalten",
  leave_title: "Alles löschen?",
  leave_lede: "Fotos, Porträts, Schlüssel und das Konto gehen sofort, und niemand kann sie zurückholen. Du bekommst eine unterschriebene Quittung.",
  leave_password: "Dein Passwort, noch einmal",
  h_receipt: "Deine Quittung", receipt_number: "Nummer dieser Löschung; mit ihr gibt es die Quittung ohne Konto:",
  erasing: "Nichts von dir lässt sich mehr öffnen. Der Beweis wird geführt …",
  erased: "Gelöscht und bewiesen am {0}.", slow_proof: "Gelöscht. Der Beweis dauert länger als sonst; komm mit der Nummer unten wieder.",
  genuine: "Echt: Dieser Browser hat die Unterschrift mit dem veröffentlichten Schlüssel geprüft.",
  not_genuine: "Nicht echt: Kein veröffentlichter Schlüssel hat das unterschrieben.",
  not_checked: "Dieser Browser kann Ed25519 hier nicht prüfen. verify_receipt.py kann es.",
  start_again: "Von vorn beginnen",
  forgot: "Passwort vergessen", send_code: "Code senden", code: "Code", new_password: "Neues Passwort", go_on: "Weiter", code_again: "Neuen Code senden", back: "Zurück",
  code_sent: "Ist diese Adresse hier bekannt, dann ist ein Code unterwegs an {0}. Tippe ihn ein.",
  withdraw: "Zurücknehmen", withdrawn: "Zurückgenommen. Deine Fotos sind zerstört; fertige Porträts bleiben, bis du sie löschst.",
  paint_from: "Malen nach", from_photos: "Nach meinen Fotos", from_choices: "Jemand, den es nicht gibt",
  sign_first: "Für Porträts von dir unterschreibe zuerst die Einwilligung oben.",
  choices_lede: "Dafür braucht es kein Foto und keine Einwilligung.", own_words: "In deinen Worten, wenn du magst",
  variations: "Von jedem Stil", shape: "Form", shape_any: "Wie der Stil es will", headshot_shape: "Quadrat, 1:1", portrait_shape: "Porträt, 4:5", classic_shape: "Klassisch, 3:4", story_shape: "Story, 9:16", banner_shape: "Banner, 16:9",
  archive: "Alle in einer Datei", retry: "Noch einmal versuchen", more: "Mehr zeigen", all_painted: "Alles ist gemalt.",
  share: "Teilen", lent: "Öffnet dieses Bild einmal, binnen einer Minute:", copied: "Die Adresse ist kopiert. Sie öffnet das Bild einmal.",
  longer: "Ein Jahr behalten", lengthened: "Es bleibt jetzt länger.",
  h_change: "Mach etwas daraus", change: "Was", change_style: "Stil", change_detail: "Feinheiten", faithful: "Nur was da ist", rich: "Auch Erfundenes",
  change_words: "Was sich ändern soll, in deinen Worten", variation_change: "Noch eins wie dieses", restyle_change: "Ein anderer Stil", upscale_change: "Viermal so groß", edit_change: "Eine Änderung in Worten",
  text_made: "ausgedacht", edit_made: "nach einem Porträt", upscale_made: "vergrößert",
  devices: "Wo du angemeldet bist", device_here: "Hier, seit {0}", device_other: "Anderswo, seit {0}, zuletzt benutzt {1}", device_end: "Dort abmelden", device_ended: "Diese Sitzung ist beendet.",
  offline: "Der Dienst antwortet nicht. Prüfe deine Verbindung und versuche es noch einmal.",
  ended: "Deine Sitzung ist zu Ende. Melde dich wieder an.",
  days: "{0} Tagen", day: "einem Tag", hours: "{0} h {1} min", minutes: "{0} min {1} s", seconds: "{0} s", over: "jetzt",
};

const WORDS = { en, de };
const asked = [new URLSearchParams(location.search).get("lang"), sessionStorage.getItem("language"), ...navigator.languages];

export let language = asked.map((one) => (one || "").slice(0, 2).toLowerCase()).find((one) => one in WORDS) || "en";

export function say(key, ...values) {
  const found = WORDS[language][key];
  return found === undefined ? key : found.replace(/\{(\d)\}/g, (_, number) => values[number]);
}

// Whether there is a word for something that the API named; newer servers know more than this page.
export const knows = (key) => key in WORDS[language];

export function speak(wanted) {
  language = wanted;
  sessionStorage.setItem("language", wanted);
  document.documentElement.lang = wanted;
  document.title = say("title");
  for (const node of document.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", say(node.dataset.label));
  for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === wanted));
}

export const when = (iso) => new Date(iso).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });

// How long until then, from days down to seconds.
export function until(iso, now = Date.now()) {
  const seconds = Math.floor((new Date(iso) - now) / 1000);
  if (seconds <= 0) return say("over");
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600), Math.floor(seconds / 60)];
  if (days >= 2) return say("days", days);
  if (days === 1) return say("day");
  if (hours) return say("hours", hours, minutes % 60);
  return minutes ? say("minutes", minutes, seconds % 60) : say("seconds", seconds);
}
