import { BlockList, isIP } from 'node:net';

/** This machine, and what is on its link: there are no proxies on the way to it. */
const NEAR = new BlockList();
NEAR.addSubnet('127.0.0.0', 8, 'ipv4');
NEAR.addSubnet('169.254.0.0', 16, 'ipv4');
NEAR.addAddress('::1', 'ipv6');
NEAR.addSubnet('fe80::', 10, 'ipv6');
NEAR.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');
/** The metadata of an instance of AWS, by IPv6. */
NEAR.addAddress('fd00:ec2::254', 'ipv6');

/** Whether a host is this machine, or on its link, such as the metadata of an instance. */
export function isNear(host: string): boolean {
  const name = plain(host);
  return name === 'localhost' || name.endsWith('.localhost') || isIn(NEAR, name);
}

/**
 * Whether a list excepts a host, by the rules of curl: names between commas or blanks, each with what lies below it (`example.com`, `.example.com`, `*.example.com`), addresses, networks (`10.0.0.0/8`),
 * `*` for all. `name:port` excepts one port.
 */
export function isExcluded(list: string, host: string, port: number): boolean {
  const name = plain(host);
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== '' && matches(entry, name, port));
}

function matches(entry: string, name: string, port: number): boolean {
  if (entry === '*') return true;
  const [, withPort, ofPort] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
  if (ofPort !== undefined && Number(ofPort) !== port) return false;
  const wanted = plain((withPort ?? entry).replace(/^\*?\./, ''));
  const [network = '', bits] = wanted.split('/');
  if (bits !== undefined) return isInNetwork(network, Number(bits), name);
  if (isIP(wanted) !== 0) return isIn(only(wanted), name);
  return wanted !== '' && isIP(name) === 0 && (name === wanted || name.endsWith(`.${wanted}`));
}

function isInNetwork(network: string, bits: number, name: string): boolean {
  const version = isIP(network);
  if (version === 0 || !Number.isInteger(bits) || bits < 0 || bits > (version === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, familyOf(version));
  return isIn(list, name);
}

/** An address can be written in several ways. */
function only(address: string): BlockList {
  const list = new BlockList();
  list.addAddress(address, familyOf(isIP(address)));
  return list;
}

function isIn(list: BlockList, name: string): boolean {
  const version = isIP(name);
  return version !== 0 && list.check(name, familyOf(version));
}

function familyOf(version: number): 'ipv4' | 'ipv6' {
  return version === 4 ? 'ipv4' : 'ipv6';
}

/** Small letters, without brackets, without the dot that ends a whole name. */
function plain(host: string): string {
  return withoutBrackets(host.toLowerCase()).replace(/\.$/, '');
}

/** A host as it is connected to: an address of IPv6 stands in brackets in URLs only. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
