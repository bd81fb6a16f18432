#!/usr/bin/python3
"""The screen of `domtrail status` as a small Python program would print it: argparse, json and sqlite3 from the
standard library, the state read from the same ledger, nothing of Qubes imported. It is what Python costs at the least;
the tools that an administrator has today (qvm-ls and its kin) import asyncio and lxml as well and take three times as long.
"""
import argparse
import json
import os
import sqlite3
import time


def main():
    parser = argparse.ArgumentParser(description='one screen about the host')
    parser.add_argument('--home', required=True)
    parser.add_argument('--json', action='store_true')
    options = parser.parse_args()
    path = os.path.join(options.home, 'ledger.db')
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    state = {key: json.loads(value) for key, value in db.execute('SELECT key, state FROM entities ORDER BY key')}
    position, recorded = db.execute('SELECT position, time FROM events ORDER BY position DESC LIMIT 1').fetchone()
    vms = [value for key, value in state.items() if key.startswith('vm/') and value['class'] != 'AdminVM']
    pools = [value for key, value in state.items() if key.startswith('pool/')]
    trash = [value for key, value in state.items() if key.startswith('trash/')]
    unfinished = [value for key, value in state.items() if key.startswith('operation/')]
    running = sum(vm['power']['is'] == 'running' for vm in vms)
    volumes = [volume for vm in vms for volume in vm['volumes'].values()]
    dirty = [volume['spec']['key'] for volume in volumes if volume['situation']['is'] == 'dirty']
    lost = sum(disk['disk']['bytes'] for disk in trash)
    if options.json:
        print(json.dumps({'vms': {'running': running, 'halted': len(vms) - running}, 'volumes': len(volumes)}))
        return
    print('HOME    %s' % options.home)
    print('EVENTS  %d, the last at %s' % (position, time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(recorded / 1000))))
    print('VMS     %d running, %d halted; %d volumes' % (running, len(vms) - running, len(volumes)))
    print('POOLS   %s' % (', '.join('%s (%s)' % (pool['name'], pool['driver']) for pool in pools) or 'none'))
    print('TRASH   %d disks, %d bytes' % (len(trash), lost))
    for name in [*(one['name'] for one in unfinished), *dirty]:
        print('  %s  needs attention' % name)
    if not unfinished and not dirty:
        print('nothing needs attention')


main()
