/** Reporters that write how many tests passed, failed and were skipped, for the closing line of the test command. */
import { writeFileSync } from 'node:fs';

/** For web-test-runner. A test file that does not load counts as one failure. */
export function countReporter(file) {
  return {
    onTestRunFinished({ sessions }) {
      if (!file) return;
      const counts = { passed: 0, failed: 0, skipped: 0 };
      const visit = (suite) => {
        for (const test of suite.tests)
          counts[test.skipped ? 'skipped' : test.passed ? 'passed' : 'failed']++;
        suite.suites.forEach(visit);
      };
      for (const session of sessions) {
        if (session.testResults) visit(session.testResults);
        if (!session.testResults || (session.errors?.length ?? 0) > 0) counts.failed++;
      }
      writeFileSync(file, JSON.stringify(counts));
    },
  };
}

/** For node's test runner (`--test-reporter`): the counts as JSON. */
export default async function* countNodeTests(source) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') continue;
    if (data.skip !== undefined) counts.skipped++;
    else counts[type === 'test:pass' ? 'passed' : 'failed']++;
  }
  yield JSON.stringify(counts);
}
