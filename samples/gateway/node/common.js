// What the programs here have in common.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Where .proto files are: ours, and those of Google that ours may import.
export const PROTOS = [
  join(dirname(fileURLToPath(import.meta.url)), '../../../proto/src/main/protobuf'),
  dirname(createRequire(import.meta.url).resolve('protobufjs/package.json')),
];

// The options of a command line, such as --gateway and --peer; and what else there is.
export function options(defaults) {
  const all = { ...defaults, rest: [] };
  const words = process.argv.slice(2);
  while (words.length > 0) {
    const word = words.shift();
    if (word.startsWith('--')) all[word.slice(2)] = words.shift();
    else all.rest.push(word);
  }
  return all;
}

// What a file with a token holds; undefined without one.
export function tokenIn(file) {
  return file && readFileSync(file, 'utf8').trim();
}
