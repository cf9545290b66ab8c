// The bot that scripts/check-bundles.ts bundles. Usage: node <bundle> <folder for its files>. Prints one line of JSON.
import { runBot } from './scenario.mjs';

runBot(process.argv[2]).then(
  (report) => console.log(JSON.stringify(report)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
