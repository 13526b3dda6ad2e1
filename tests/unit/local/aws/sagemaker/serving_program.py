"""The text of a serving program: it answers with its model's mark, and misbehaves when the body says so.

Programs that misbehave in other ways are made of the same pieces.
"""

IMPORTS = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
"""
HANDLER = """
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    def log_message(self, *_): pass
    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer(200)
"""
LISTEN = """
server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler)
server.daemon_threads = True
server.serve_forever()
"""
SERVER = (
    IMPORTS
    + """
assert sys.argv[1:] == ["serve"]
MARK = Path(os.environ["SAGEMAKER_BASE_DIR"], "model", "mark").read_text()
print("serving " + MARK, flush=True)
if MARK == "sick":
    sys.exit(3)
"""
    + HANDLER
    + """    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"fail":
            return self.answer(400, b"no such column")
        if body == b"slow":
            time.sleep(3)
        if body == b"die":
            os._exit(1)
        seen = {name.lower(): value for name, value in self.headers.items()}
        text = json.dumps({"mark": MARK, "pid": os.getpid(), "echo": body.decode("latin-1")[:100], "headers": seen}).encode()
        if body == b"chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"2\\r\\nab\\r\\n3\\r\\ncde\\r\\n0\\r\\n\\r\\n")
            return
        self.answer(200, text, Content_Type="application/json", X_Amzn_SageMaker_Custom_Attributes="trace=1")
"""
    + LISTEN
)
