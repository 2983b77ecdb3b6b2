// Opens sealed objects as privacy/FORMAT.md describes them, written from that page alone.
//
//   node open.mjs sealed.json
//
// Prints one line of JSON: how many vectors opened to the right bytes, how many were refused, and
// the names of those that did neither. It shares no code with the project.

import { createDecipheriv, createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Aes256Gcm, CipherSuite, HkdfSha256 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";

const VERSION = 1;
const CAPSULE_BYTES = 1121;
const KEM = new XWing();
const SUITE = new CipherSuite({ kem: KEM, kdf: new HkdfSha256(), aead: new Aes256Gcm() });

const bytes = (hex) => Buffer.from(hex, "hex");
const uuid = (text) => bytes(text.replaceAll("-", ""));

function info(vector, publicHalf) {
  return Buffer.concat([
    Buffer.from("sitter/seal/v1", "ascii"),
    Buffer.from([vector.kind, vector.recipient]),
    uuid(vector.owner),
    uuid(vector.blob),
    createHash("sha256").update(publicHalf).digest(),
    Buffer.alloc(32),
  ]);
}

async function opened(vector) {
  const capsule = bytes(vector.capsule);
  if (capsule.length !== CAPSULE_BYTES || capsule[0] !== VERSION) {
    throw new Error("This is not a capsule of version 1.");
  }
  const seed = new Uint8Array(bytes(vector.seed));
  const recipientKey = await KEM.importKey("raw", seed, false);
  const { publicKey } = await KEM.generateKeyPairDerand(new Uint8Array(seed));
  const publicHalf = Buffer.from(await KEM.serializePublicKey(publicKey));
  const recipient = await SUITE.createRecipientContext({
    recipientKey,
    enc: capsule.subarray(1),
    info: info(vector, publicHalf),
  });
  return Buffer.from(await recipient.open(bytes(vector.body)));
}

function unwrapped(vector) {
  const wrapped = bytes(vector.wrapped);
  const key = createDecipheriv("aes-256-gcm", bytes(vector.root), wrapped.subarray(0, 12));
  key.setAAD(Buffer.concat([Buffer.from("sitter/owner/v1", "ascii"), uuid(vector.owner)]));
  key.setAuthTag(wrapped.subarray(-16));
  return Buffer.concat([key.update(wrapped.subarray(12, -16)), key.final()]);
}

const { sealed, wrapped } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const said = { opened: 0, refused: 0, wrong: [] };
for (const [open, list, field] of [[opened, sealed, "plain"], [unwrapped, wrapped, "seed"]]) {
  for (const vector of list) {
    let found = null;
    try {
      found = await open(vector);
    } catch {
      // Whatever the reason, it did not open.
    }
    if (found !== null && vector.expect === "opens" && found.equals(bytes(vector[field]))) {
      said.opened += 1;
    } else if (found === null && vector.expect.startsWith("refused: ")) {
      said.refused += 1;
    } else {
      said.wrong.push(vector.expect);
    }
  }
}
console.log(JSON.stringify(said));
