//! A swarm in mlua: N entities that wake every frame and move, with a state each or all in one.
//! Takes "N each|one" as arguments, then a number of frames on each line that it reads, and answers each line with the
//! seconds that one of these frames took.

use mlua::{Function, Lua, Result, Table, Thread};
use std::io::{stdin, BufRead};
use std::time::Instant;

const SCRIPT: &str = "
local self, time = ...
return function()
  while true do
    self.x = self.x + self.vx * time.dt
    self.y = self.y + self.vy * time.dt
    coroutine.yield()
  end
end
";

// One state can do the loop itself; as many threads held by Rust would not fit mlua's stack of references.
const TOGETHER: &str = "
local script, count = ...
local time, threads = { dt = 0 }, {}
for i = 1, count do
  threads[i] = coroutine.create(script({ x = i, y = 0.0, vx = 1.0, vy = 0.5 }, time))
end
return function(dt)
  time.dt = dt
  for i = 1, count do
    coroutine.resume(threads[i])
  end
end
";

struct Entity {
    table: Table,
    time: Table,
    thread: Thread,
    _lua: Lua,
}

fn entity(i: usize) -> Result<Entity> {
    let lua = Lua::new();
    let table = lua.create_table()?;
    table.set("x", i as f64)?;
    table.set("y", 0.0)?;
    table.set("vx", 1.0)?;
    table.set("vy", 0.5)?;
    let time = lua.create_table()?;
    let body: Function = lua.load(SCRIPT).call((table.clone(), time.clone()))?;
    let thread = lua.create_thread(body)?;
    Ok(Entity { table, time, thread, _lua: lua })
}

fn frame(entities: &[Entity], dt: f64) -> Result<f64> {
    let mut sum = 0.0;
    for entity in entities {
        entity.time.raw_set("dt", dt)?;
        entity.thread.resume::<()>(())?;
        sum += entity.table.raw_get::<f64>("x")? + entity.table.raw_get::<f64>("y")?;
    }
    Ok(sum)
}

fn each(count: usize) -> Result<()> {
    let entities: Vec<Entity> = (0..count).map(entity).collect::<Result<_>>()?;
    let mut sum = 0.0;
    serve(|| {
        sum += frame(&entities, 1.0 / 60.0)?;
        Ok(())
    })?;
    eprintln!("{sum}"); // so that nothing is left out for having no use
    Ok(())
}

fn one(count: usize) -> Result<()> {
    let lua = Lua::new();
    let script: Function = lua.load(SCRIPT).into_function()?;
    let together: Function = lua.load(TOGETHER).call((script, count))?;
    serve(|| together.call::<()>(1.0 / 60.0))
}

/// Answers each line, a number of frames, with the seconds that one of them took.
fn serve(mut frame: impl FnMut() -> Result<()>) -> Result<()> {
    for line in stdin().lock().lines() {
        let frames: u32 = line.expect("a line").trim().parse().expect("FRAMES");
        let started = Instant::now();
        for _ in 0..frames {
            frame()?;
        }
        println!("{:.12}", started.elapsed().as_secs_f64() / frames as f64);
    }
    Ok(())
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let count: usize = args[1].parse().expect("N");
    if args[2] == "each" {
        each(count)
    } else {
        one(count)
    }
}
