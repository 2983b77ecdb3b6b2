// One person's whole way, by the generated client alone: from sign-up to the receipt.
//
// It says at its end, as JSON, what it has seen; the test that runs it looks at that.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  AuthApi,
  Configuration,
  ConsentsApi,
  ErasuresApi,
  JobsApi,
  MeApi,
  PortraitsApi,
  PutPhotoSlotEnum,
  ReferenceSetsApi,
  ResponseError,
  StylesApi,
  WellKnownApi,
} from "./client";
import type { Erasure, Job, Photo } from "./client";

const [base, photos, email, password, style] = process.argv.slice(2);
const PATIENCE = 120_000;
let session = "";

const configuration = new Configuration({ basePath: base, apiKey: () => session });
const auth = new AuthApi(configuration);
const consents = new ConsentsApi(configuration);
const erasures = new ErasuresApi(configuration);
const jobs = new JobsApi(configuration);
const me = new MeApi(configuration);
const portraits = new PortraitsApi(configuration);
const sets = new ReferenceSetsApi(configuration);

async function until<T>(ask: () => Promise<T>, done: (found: T) => boolean): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = await ask();
    if (done(found)) return found;
    if (Date.now() > end) throw new Error(`still ${JSON.stringify(found)}`);
    await new Promise((go) => setTimeout(go, 200));
  }
}

async function refusal(ask: Promise<unknown>): Promise<[number, string]> {
  try {
    await ask;
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    const said = (await error.response.json()) as { errors: { code: string }[] };
    return [error.response.status, said.errors[0].code];
  }
  throw new Error("this should have been refused");
}

async function sign(): Promise<void> {
  const [text] = await consents.listConsentDocuments({
    purpose: "portrait-generation",
    language: "en",
  });
  const act = { document: text.id, typedName: "Grace Hopper", agree: true, client: "client/1" };
  await consents.grantConsent({ grant: act });
}

async function fillSet(): Promise<{ id: string; accepted: number }> {
  const made = await sets.createReferenceSet({ newReferenceSet: {} });
  for (const slot of Object.values(PutPhotoSlotEnum)) {
    const body = new Blob([readFileSync(join(photos, `${slot}.jpg`))]);
    await sets.putPhoto({ id: made.id, slot, body });
  }
  const filled = await until(
    () => sets.getReferenceSet({ id: made.id }),
    (found) => found.photos.every((photo: Photo) => photo.state === "accepted"),
  );
  return { id: made.id, accepted: filled.photos.length };
}

async function painted(referenceSet: string): Promise<Job> {
  const newJob = { referenceSet, items: [{ style }, { style }] };
  const idempotencyKey = randomUUID();
  const begun = await jobs.createJob({ idempotencyKey, newJob });
  const again = await jobs.createJob({ idempotencyKey, newJob });
  if (again.id !== begun.id) throw new Error("the same key made another job");
  return until(
    () => jobs.getJob({ id: begun.id, wait: 5 }),
    (found) => found.outcome !== null,
  );
}

async function main(): Promise<void> {
  const styles = await new StylesApi(configuration).listStyles();
  const stranger = await refusal(me.getHoldings());
  const person = { email, password, region: "eu_uk" as const, isAdult: true };
  const signedUp = await auth.signUp({ signUp: person });
  session = signedUp.meta.sessionToken ?? "";
  const again = await refusal(
    new AuthApi(new Configuration({ basePath: base })).signUp({ signUp: person }),
  );
  const early = await refusal(sets.createReferenceSet({ newReferenceSet: {} }));
  await sign();
  const filled = await fillSet();
  const job = await painted(filled.id);
  const page = await portraits.listPortraits({ job: job.id });
  const first = page.results[0];
  const picture = await portraits.downloadPortrait({ id: first.id, size: "preview" });
  const archive = await jobs.downloadJobArchive({ id: job.id });
  const held = await me.getHoldings();
  const part: Erasure = await portraits.deletePortrait({ id: first.id });
  const gone = await refusal(portraits.getPortrait({ id: first.id }));
  const unconfirmed = await refusal(me.eraseMe({ eraseMe: {} }));
  const confirmed = await auth.reauthenticate({ password: { password } });
  session = confirmed.meta.sessionToken ?? session;
  const devices = await me.listSessions();
  const erasure = await me.eraseMe({ eraseMe: {} });
  const proved = await until(
    () => erasures.getErasure({ id: erasure.id }),
    (found) => found.stage === "proved",
  );
  const after = await refusal(me.getHoldings());
  const keys = await new WellKnownApi(configuration).listReceiptKeys();
  const saw = {
    styles: styles.map((found) => found.id),
    stranger,
    again,
    devices: devices.filter((device) => device.current).length,
    early,
    photos: filled.accepted,
    outcome: job.outcome,
    portraits: page.results.length,
    picture: { type: picture.type, bytes: picture.size },
    archive: { type: archive.type, bytes: archive.size },
    email: held.account.email,
    part: part.scope,
    gone,
    unconfirmed,
    after,
    receipt: proved.receipt,
    keys,
  };
  process.stdout.write(JSON.stringify(saw));
}

main().catch(async (error) => {
  const said = error instanceof ResponseError ? await error.response.text() : "";
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n${said}\n`);
  process.exit(1);
});
