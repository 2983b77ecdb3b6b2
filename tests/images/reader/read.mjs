// Reads the content credentials of each file that is named, and says as JSON what it found.
import { readFile } from 'node:fs/promises';
import { BMFF, JPEG, PNG } from '@trustnxt/c2pa-ts/asset';
import { SuperBox } from '@trustnxt/c2pa-ts/jumbf';
import { ManifestStore, ValidationResult } from '@trustnxt/c2pa-ts/manifest';

async function read(name) {
    const data = new Uint8Array(await readFile(name));
    const Kind = [JPEG, PNG, BMFF].find((kind) => kind.canRead(data));
    if (!Kind) return { name, valid: false, codes: ['unknown format'] };
    const asset = new Kind(data);
    const jumbf = await asset.getManifestJUMBF();
    if (!jumbf) return { name, valid: false, codes: ['no manifest'] };
    let found;
    try {
        const store = ManifestStore.read(SuperBox.fromBuffer(jumbf));
        found = await store.validate(asset);
    } catch (error) {
        found = ValidationResult.fromError(error);
    }
    const codes = found.statusEntries.map((entry) => `${entry.success ? '+' : '-'}${entry.code}`);
    return { name, valid: found.isValid, codes };
}

const results = [];
for (const name of process.argv.slice(2)) results.push(await read(name));
console.log(JSON.stringify(results));
