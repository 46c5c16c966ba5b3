// Plays a glb with three.js in headless Chromium: node play.js MODULES URL BROWSER JOB
// JOB is JSON: {"times": [seconds], "pictures": [[seconds, file]], "size": [width, height]}; prints JSON with "told" and
// "vertices" (base64 of float32, one for each time).
"use strict";
const path = require("path");

const [modules, url, browserPath, job] = process.argv.slice(2);
const { times, pictures, size } = JSON.parse(job);

(async () => {
  const puppeteer = require(path.resolve(modules, "puppeteer-core"));
  const browser = await puppeteer.launch({
    executablePath: browserPath,
    headless: true,
    protocolTimeout: 240000,
    args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  });
  try {
    const page = await browser.newPage();
    const failures = [];
    page.on("pageerror", (error) => failures.push(String(error)));
    await page.setViewport({ width: size[0], height: size[1] });
    await page.goto(url);
    await page.waitForFunction("window.told !== undefined", { timeout: 120000 }).catch((error) => {
      throw new Error(failures.join("\n") || String(error));
    });
    const vertices = [];
    for (const seconds of times) vertices.push(await page.evaluate((at) => window.verticesAt(at), seconds));
    for (const [seconds, file] of pictures) {
      await page.evaluate((at) => window.drawAt(at), seconds);
      await page.screenshot({ path: file });
    }
    console.log(JSON.stringify({ told: await page.evaluate(() => window.told), vertices }));
  } finally {
    await browser.close();
  }
})().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
