import { appVm, dispVm, filePool, init, lvmPool, setProperty, templateVm } from './commands.ts';
import { given, type Story } from './given.ts';

/** One LVM pool that keeps one revision, TemplateVM `fedora`, AppVM `work`. */
export const smallHost = (revisionsToKeep = 1): Story =>
  given().after(init(lvmPool('lvm', { revisionsToKeep })), templateVm('fedora'), appVm('work', { template: 'fedora' }));

/** The small host with a disposable `disp1` of the AppVM `dvm`, and a second pool of files. */
export const wideHost = (): Story =>
  given().after(
    init(lvmPool('lvm'), filePool('files')),
    setProperty(null, 'default_pool', 'lvm'),
    templateVm('fedora'),
    appVm('work', { template: 'fedora' }),
    appVm('dvm', { template: 'fedora' }),
    setProperty('dvm', 'template_for_dispvms', 'True'),
    dispVm('disp1', { template: 'dvm' }),
  );
