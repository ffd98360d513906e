/** A plugin of Stryker's that says each survivor as it is found: a long run may be read while it goes on. */
import type { MutantResult } from '@stryker-mutator/api/core';
import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';
import type { Reporter } from '@stryker-mutator/api/report';

const survivors: Reporter = {
  onMutantTested({ fileName, location, mutatorName, replacement, status }: Readonly<MutantResult>) {
    if (status !== 'Survived' && status !== 'NoCoverage') return;
    const { line, column } = location.start;
    const place = `${fileName.replace(/^.*?(?=src\/)/, '')}:${line}:${column}`;
    console.log(`survived ${place} ${mutatorName} ⇒ ${replacement?.replaceAll(/\s+/g, ' ')}`);
  },
};

export const strykerPlugins = [declareValuePlugin(PluginKind.Reporter, 'survivors', survivors)];
