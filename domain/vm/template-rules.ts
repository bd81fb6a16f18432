import { type Failure, failure } from '../failure.ts';
import type { Host } from '../host/host.ts';
import { err, ok, type Result } from '../result.ts';
import type { Vm, VmClass } from './vm.ts';

/** The template a VM of a class may have: a TemplateVM for AppVMs, an AppVM meant for it for disposables, none otherwise. */
export const checkTemplate = (host: Host, vmClass: VmClass, name: string | null): Result<Vm | null, Failure> => {
  if (vmClass !== 'AppVM' && vmClass !== 'DispVM') {
    return name === null ? ok(null) : err(failure('D_CLASS_REFUSES', `a VM of class ${vmClass} has no template`));
  }
  const next = 'domtrail vm list';
  if (name === null)
    return err(failure('D_REFERENCE_INVALID', `a VM of class ${vmClass} needs a template: --template NAME`, { next }));
  const template = host.vms.get(name as Vm['name']);
  if (!template) return err(failure('D_REFERENCE_INVALID', `template: there is no VM ${name}`, { next }));
  if (vmClass === 'AppVM' && template.class !== 'TemplateVM') {
    return err(failure('D_REFERENCE_INVALID', `template: ${name} is a ${template.class}, not a TemplateVM`));
  }
  if (vmClass === 'DispVM' && (template.class !== 'AppVM' || template.properties['template_for_dispvms'] !== 'True')) {
    const fix = `domtrail vm prefs ${name} template_for_dispvms True`;
    return err(
      failure('D_REFERENCE_INVALID', `template: ${name} is no AppVM with template_for_dispvms`, { next: fix }),
    );
  }
  return ok(template);
};
