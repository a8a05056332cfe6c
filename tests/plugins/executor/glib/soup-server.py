# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server of libsoup that answers so many requests of a client beside it, and says how many."""

import subprocess
import sys

import gi
gi.require_version('Soup', '3.0')
from gi.repository import GLib, Soup

CLIENT = '''
import http.client, sys
connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=60)
for number in range(int(sys.argv[2])):
    connection.request('GET', f'/{number}')
    assert connection.getresponse().read() == b'x' * number
'''


def main():
    wanted = int(sys.argv[1])
    answered = []
    loop = GLib.MainLoop()
    server = Soup.Server()

    def answer(_server, message, path, _query):
        answered.append(path)
        message.set_status(200, None)
        message.set_response('text/plain', Soup.MemoryUse.COPY, b'x' * int(path[1:]))

    def client_ended(_pid, status):
        print('status', status)
        loop.quit()

    server.add_handler('/', answer)
    server.listen_local(0, Soup.ServerListenOptions.IPV4_ONLY)
    port = server.get_uris()[0].get_port()
    client = subprocess.Popen([sys.executable, '-c', CLIENT, str(port), str(wanted)])
    GLib.child_watch_add(GLib.PRIORITY_DEFAULT, client.pid, client_ended)
    loop.run()
    print('answered', len(answered))


main()
