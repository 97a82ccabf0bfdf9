-- Which file of the prelude has what is loaded with its first use.

local files = {}

-- Libraries of scripts.
files.libraries = {
  string = "standard", table = "standard", math = "standard", os = "time", coroutine = "coroutines",
  utf8 = utf8 and "standard", bit = bit and "standard", time = "time", task = "task", async = "async", bus = "bus",
  entity = "entities", shared = "shared", log = "log", input = "window", sprite = "window", sound = "window",
  camera = "window", draw = "window",
}

-- Kinds of mail that few states get.
files.readers = {
  direct = "bus", request = "requests", reply = "requests", typed = "console", result = "host", callback = "host",
  snapshot = "snapshots", load = "reload", fill = "reload", discard = "reload", resume = "reload",
  early = "early", catch_up = "early",
  final = "leaving", boot = "calling", hook = "calling",
}


return files
