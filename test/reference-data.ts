import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A folder of the reference data that lie beside the repository on the developers' machines. */
export function referenceData(name: string): { path: string; skip: string | false } {
  const path = fileURLToPath(new URL(`../../shared/${name}`, import.meta.url));
  return {
    path,
    skip: existsSync(path) ? false : `the reference data ../shared/${name} are not on this machine`,
  };
}

/** A check that hangs fails. */
const CHECK_LIMIT_MS = 8 * 60_000;

/** Runs one of the project's checks on a folder; its output, and the numbers of its last line. */
export function runCheck(
  script: string,
  folder: string,
  ...flags: string[]
): { output: string; passed: number; failed: number } {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import=tsx', fileURLToPath(new URL(script, import.meta.url)), folder, ...flags],
    { encoding: 'utf8', maxBuffer: 2 ** 26, timeout: CHECK_LIMIT_MS },
  );
  const [, passed = '0', failed = '1'] = /(\d+) passed, (\d+) failed\s*$/.exec(stdout) ?? [];
  return { output: stdout + stderr, passed: Number(passed), failed: Number(failed) };
}
