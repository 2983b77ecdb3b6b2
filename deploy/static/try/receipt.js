// Checks a signed statement in the browser, against the keys that the service publishes.

const unhex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
const unbase64 = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));

// The bytes that were signed: keys in order, no spaces, UTF-8.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value && typeof value === "object") {
    return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

// true or false; null where this browser cannot check (it needs HTTPS or localhost, and Ed25519).
export async function genuine({ statement, signature }, published) {
  if (!crypto.subtle) return null;
  const raw = published.ed25519[statement.key];
  if (!raw) return false;
  let key;
  try {
    key = await crypto.subtle.importKey("raw", unhex(raw), { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return null;
  }
  return crypto.subtle.verify("Ed25519", key, unbase64(signature), new TextEncoder().encode(canonical(statement)));
}
