"""The ask function's own handler, which takes a pause of a second for a freeze."""

from ask import handler
from bucketwise import database

database.IDLE_SECONDS = 1

lambda_handler = handler.lambda_handler
