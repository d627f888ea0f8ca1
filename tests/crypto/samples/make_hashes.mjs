// Samples of password hashes by the JavaScript of the systems themselves. Run in the folder with `node_modules`.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const here = process.cwd();
const load = createRequire(here + '/');
const version = (name) => JSON.parse(readFileSync(`${here}/node_modules/${name}/package.json`)).version;
const random = (size) => Buffer.from(crypto.getRandomValues(new Uint8Array(size))).toString('base64');
const bcrypt = load('bcryptjs');
const { FirebaseScrypt } = load('firebase-scrypt');
const { hashPassword } = await import(`${here}/node_modules/better-auth/dist/crypto/index.mjs`);

const password = process.argv[2];
const [signerKey, salt] = [random(64), random(9)];
const firebase = new FirebaseScrypt({ memCost: 14, rounds: 8, saltSeparator: 'Bw==', signerKey });
const digest = await firebase.hash(password, salt);
console.log(JSON.stringify([
  [`bcryptjs ${version('bcryptjs')}`, bcrypt.hashSync(password, 6)],
  [
    `firebase-scrypt ${version('firebase-scrypt')}, as Supabase writes it`,
    `$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=${signerKey}$${salt}$${digest}`,
  ],
  [`better-auth ${version('better-auth')}`, await hashPassword(password)],
]));
