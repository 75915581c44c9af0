// The entry that runs under the right Node: hands over to the TypeScript, types stripped.
import { enableCompileCache, registerHooks, stripTypeScriptTypes } from 'node:module';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

enableCompileCache();

// Node itself refuses TypeScript below node_modules: installed as a package, we strip it here.
if (import.meta.url.includes('/node_modules/')) {
  registerHooks({
    load(url, context, next) {
      if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
      const source = stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'));
      return { format: 'module', source, shortCircuit: true };
    },
  });
}

await import('../src/command/main.ts');
