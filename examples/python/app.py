"""A program that logs JSON and ends by an exception nobody caught."""
import json
import logging
import sys


class Formatter(logging.Formatter):
    def format(self, record):
        line = {
            "asctime": self.formatTime(record),
            "levelname": record.levelname,
            "name": record.name,
            "message": record.getMessage(),
            "pathname": record.pathname,
            "lineno": record.lineno,
            "funcName": record.funcName,
        }
        line.update(getattr(record, "extra", {}))
        if record.exc_info:
            line["exc_info"] = self.formatException(record.exc_info)
        return json.dumps(line)


handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(Formatter())
log = logging.getLogger("shop.pay")
log.addHandler(handler)
log.setLevel(logging.INFO)


def charge(order):
    raise ValueError(f"order {order} has no card")


log.info("order placed")
log.warning("sign-in refused", extra={"extra": {"user": "ada", "error_code": "token_tampered"}})
try:
    charge(1007)
except ValueError:
    log.exception("payment failed", extra={"extra": {"user": "ada", "order": 1007}})
charge(1008)
