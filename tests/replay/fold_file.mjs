// Runs fold_file.py under a CPython that was compiled to WebAssembly:
// node fold_file.mjs PYODIDE_FOLDER REPOSITORY SITE_PACKAGES LOG
import { pathToFileURL } from "node:url";
import path from "node:path";

const [pyodideFolder, repository, packages, log] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(path.join(pyodideFolder, "pyodide.mjs")));
const python = await loadPyodide({ indexURL: pyodideFolder, stdout: (line) => console.log(line) });
for (const [name, folder] of Object.entries({ repository, packages, log: path.dirname(log) })) {
  python.FS.mkdirTree(`/${name}`);
  python.mountNodeFS(`/${name}`, folder);
}
python.globals.set("log", `/log/${path.basename(log)}`);
await python.runPythonAsync(`
import runpy, sys
sys.path[:0] = ["/repository", "/packages"]
sys.argv = ["fold_file.py", log]
runpy.run_path("/repository/tests/replay/fold_file.py", run_name="__main__")
`);
