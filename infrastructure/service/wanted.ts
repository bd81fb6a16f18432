import type { RestoreOperation } from '../../domain/undo/commands.ts';
import { watchContents } from '../../domain/undo/content.ts';
import { type WantedText, wantedOf, writeWanted } from '../../domain/undo/wanted.ts';
import { foldTo } from '../ledger/fold.ts';
import { currentHost } from '../ledger/state.ts';
import type { Service } from './service.ts';

/** What a way back gets to see of the past: folds the log on from there, to know what became of each content. */
export const wantedFor = (
  { ledger, stateAt }: Pick<Service, 'ledger' | 'stateAt'>,
  { position }: Pick<RestoreOperation, 'position'>,
): WantedText => {
  const now = currentHost(ledger);
  const host = stateAt(position);
  const past = { site: host.site, pools: new Map(host.pools), vms: new Map(host.vms) };
  const watch = watchContents();
  foldTo(ledger, now.position, host, (recorded) => watch.follow(host, recorded));
  return writeWanted(wantedOf(past, now, watch.contents()));
};
