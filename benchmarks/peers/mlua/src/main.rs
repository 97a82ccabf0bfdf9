//! A swarm in mlua: N entities that wake every frame and move, with a state each or all in one.
//! Reads "N FRAMES each|one" from the command line, prints the median nanoseconds per entity and frame.

use mlua::{Function, Lua, Result, Table, Thread};
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

struct Entity {
    table: Table,
    time: Table,
    thread: Thread,
    _lua: Lua,
}

fn entity(lua: &Lua, i: usize) -> Result<Entity> {
    let table = lua.create_table()?;
    table.set("x", i as f64)?;
    table.set("y", 0.0)?;
    table.set("vx", 1.0)?;
    table.set("vy", 0.5)?;
    let time = lua.create_table()?;
    let body: Function = lua.load(SCRIPT).call((table.clone(), time.clone()))?;
    let thread = lua.create_thread(body)?;
    Ok(Entity { table, time, thread, _lua: lua.clone() })
}

fn swarm(count: usize, each: bool) -> Result<Vec<Entity>> {
    let shared = Lua::new();
    let mut entities = Vec::with_capacity(count);
    for i in 0..count {
        entities.push(if each { entity(&Lua::new(), i)? } else { entity(&shared, i)? });
    }
    Ok(entities)
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

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let count: usize = args[1].parse().expect("N");
    let frames: usize = args[2].parse().expect("FRAMES");
    let entities = swarm(count, args[3] == "each")?;
    let mut times = Vec::with_capacity(frames);
    let mut sum = 0.0;
    for _ in 0..frames {
        let started = Instant::now();
        sum += frame(&entities, 1.0 / 60.0)?;
        times.push(started.elapsed().as_nanos() as f64 / count as f64);
    }
    times.sort_by(|a, b| a.total_cmp(b));
    eprintln!("{sum}");
    println!("{:.1}", times[times.len() / 2]);
    Ok(())
}
