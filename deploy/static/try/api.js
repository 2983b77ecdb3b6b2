// The public API as any client speaks it: one session in a header, one shape of errors.
// The token lives in this tab's storage: a reload keeps it, closing the tab forgets it.

import { language, say } from "./words.js";

const TOKEN = "session";
const AUTH = "/auth/app/v1/auth/";

export class Refused extends Error {
  constructor(status, errors) {
    super(errors.map((one) => one.detail).join(" ") || say("offline"));
    this.status = status;
    this.code = errors[0]?.code || "no_code";
    this.errors = errors;
  }
}

export const signedIn = () => sessionStorage.getItem(TOKEN) !== null;
export const forget = () => sessionStorage.removeItem(TOKEN);

async function send(method, path, { body, raw, headers = {}, token = true, signal } = {}) {
  const sent = { "Accept-Language": language, ...headers };
  if (token && signedIn()) sent["X-Session-Token"] = sessionStorage.getItem(TOKEN);
  if (body !== undefined) sent["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers: sent, body: raw ?? (body && JSON.stringify(body)), cache: "no-store", credentials: "omit", signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, [{ code: "offline", detail: say("offline") }]);
  }
  if (answer.ok || answer.status === 304) return answer;
  const told = await answer.json().catch(() => ({}));
  const refused = new Refused(answer.status, told.errors || []);
  if (answer.status === 401 && token && signedIn() && !path.startsWith(AUTH)) {
    forget();
    dispatchEvent(new CustomEvent("session-ended"));
    refused.message = say("ended");
  }
  throw refused;
}

const json = async (...request) => (await send(...request)).json();

// A session that is worth nothing yet: it waits for a code that was sent by mail.
let waiting = null;

// Nothing, or the step that is to be taken before there is a session.
async function account(path, body, token = false) {
  const headers = waiting && !token ? { "X-Session-Token": waiting } : {};
  const answer = await json("POST", AUTH + path, { body, token, headers });
  const given = answer.meta?.session_token;
  if (answer.meta?.is_authenticated || token) {
    if (given || (waiting && !token)) sessionStorage.setItem(TOKEN, given || waiting);
    waiting = null;
    return null;
  }
  waiting = given || waiting;
  return answer.data?.flows?.find((flow) => flow.is_pending)?.id || null;
}

const anew = (path, body) => { waiting = null; return account(path, body); };
export const signUp = (person) => anew("signup", person);
export const signIn = (email, password) => anew("login", { email, password });
export const forgotten = (email) => anew("password/request", { email });
export const verify = (key) => account("email/verify", { key });
export const again = () => send("POST", `${AUTH}email/verify/resend`, { token: false, headers: { "X-Session-Token": waiting } });
export const reset = (key, password) => account("password/reset", { key, password });
export const confirm = (password) => account("reauthenticate", { password }, true);
export const end = (session) => send("DELETE", `/v1/me/sessions/${session}`);
export const signOut = () => send("DELETE", AUTH + "session").catch(() => {}).finally(forget);

export const get = (path) => json("GET", path);
export const post = (path, body, headers) => json("POST", path, { body, headers });
export const patch = (path, body) => json("PATCH", path, { body });
export const remove = (path) => json("DELETE", path);
export const picture = async (path) => URL.createObjectURL(await (await send("GET", path)).blob());
export const put = (path, file) => json("PUT", path, { raw: file, headers: { "Content-Type": file.type || "application/octet-stream" } });

// 128 random bits; crypto.randomUUID exists in secure contexts only.
export const key = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");

// A job's changes until its end: Server-Sent Events, read by fetch because that can carry a header.
// It comes back by itself with the last id it saw, so nothing is missed.
export async function follow(path, onChange, signal) {
  let seen = null, pause = 500;
  for (;;) {
    try {
      const answer = await send("GET", path, { headers: seen === null ? {} : { "Last-Event-ID": seen }, signal });
      if (answer.status === 204) return;
      for await (const event of events(answer.body)) {
        if (event.id) seen = event.id;
        if (event.name === "end") return onChange(JSON.parse(event.data), true);
        if (event.data) onChange(JSON.parse(event.data), false);
        pause = 500;
      }
    } catch (error) {
      if (signal.aborted || (error instanceof Refused && [401, 403, 404].includes(error.status))) throw error;
    }
    await new Promise((wake) => setTimeout(wake, pause));
    pause = Math.min(2 * pause, 10000);
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const event = {};
      for (const line of part.split("\n")) {
        const colon = line.indexOf(":");
        const name = { id: "id", event: "name", data: "data" }[line.slice(0, colon)];
        if (name) event[name] = line.slice(colon + 1).trimStart();
      }
      yield event;
    }
  }
}
