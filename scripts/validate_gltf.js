// Validates a glTF file and prints the Khronos validator's report: node validate_gltf.js MODULE_FOLDER FILE
"use strict";
const fs = require("fs");
const path = require("path");

const [moduleFolder, file] = process.argv.slice(2);
const validator = require(path.resolve(moduleFolder));
const readBeside = (uri) =>
  fs.promises.readFile(path.resolve(path.dirname(file), decodeURIComponent(uri))).then((data) => new Uint8Array(data));

validator
  .validateBytes(new Uint8Array(fs.readFileSync(file)), { uri: path.basename(file), externalResourceFunction: readBeside })
  .then((report) => {
    console.log(JSON.stringify(report, null, 2));
    process.exitCode = report.issues.numErrors > 0 ? 1 : 0;
  })
  .catch((error) => {
    console.error(String(error));
    process.exitCode = 2;
  });
