import { type Failure, failure } from '../../domain/failure.ts';
import { ruleFromOptions } from '../../domain/firewall/parse.ts';
import type { Rule } from '../../domain/firewall/rule.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Element, type Node, refused } from './tree.ts';

const elementsNamed = (nodes: readonly Node[], name: string): readonly Element[] =>
  nodes.flatMap((node) => (node.is === 'element' && node.name === name ? [node] : []));

/** Stock takes the text before the first comment or element for the whole: 10.0.0.0/2<!-- -->4 would be 10.0.0.0/2. */
const textOf = ({ children }: Element): Result<string, Failure> => {
  const texts = children.flatMap((node) => (node.is === 'text' ? [node.text] : []));
  return texts.length === children.length
    ? ok(texts.join(''))
    : err(
        failure(
          'D_FIREWALL_XML_UNSAFE',
          'a value is broken up by a comment or an element; stock reads only its beginning',
        ),
      );
};

type Option = readonly [name: string, value: string];

const optionOf = (property: Element): Result<Option, Failure> => {
  const name = property.attributes.get('name');
  if (name === undefined) return refused('a property has no name');
  const reference = property.attributes.get('ref');
  if (reference) return ok([name, reference]);
  const text = textOf(property);
  if (!text.ok) return text;
  // Python's str(None), which only a comment may be.
  return ok([name, text.value === '' && name === 'comment' ? 'None' : text.value]);
};

const ruleOf = (node: Element): Result<Rule, Failure> => {
  const options: Option[] = [];
  for (const properties of elementsNamed(node.children, 'properties')) {
    for (const property of elementsNamed(properties.children, 'property')) {
      const option = optionOf(property);
      if (!option.ok) return option;
      if (option.value[1] === '') return refused(`its property ${option.value[0]} is empty`);
      options.push(option.value);
    }
  }
  return ruleFromOptions(options);
};

/** The rules of a document of version 2 (spec: B.2): every child of the first `rules` is a rule, whatever it is called. */
export const rulesOfVersion2 = (root: Element): Result<readonly Rule[], Failure> => {
  const [list] = elementsNamed(root.children, 'rules');
  if (!list) return refused('it has no rules');
  const rules: Rule[] = [];
  for (const node of list.children) {
    if (node.is === 'text') continue;
    if (node.is === 'other') return refused(`a ${node.what} stands where a rule should`);
    const rule = ruleOf(node);
    if (!rule.ok) return rule;
    rules.push(rule.value);
  }
  return ok(rules);
};
