// The entry that runs under the right Node: hands over to the TypeScript.
import { enableCompileCache } from 'node:module';

enableCompileCache();
await import('../src/command/main.ts');
