(globalThis.loopbotPuzzles ??= {})["puzzle-two-passes"] = {"schema":"loopbot-puzzle","version":1,
"title":"two passes, careless",
"robots":["ChefBot","WaitBot"],
"texts":["sends to the pass","puts down a plate","comes with a plate","waits for a place in the pass, which is full","sends to the rack","puts down a dish","comes with a dish","waits for a place in the rack, which is full"],
"locs":["crates/threadbots/src/scene/two_passes.rs:73","crates/threadbots/src/scene/two_passes.rs:74","crates/threadbots/src/scene/two_passes.rs:55"],
"ends":[{"ending":"Deadlock","good":false,"lines":[[0,3,2],[1,7,2]],"rule":"deadlock: ChefBot waits for a place in the pass, and nobody is left to receive"}],
"nodes":[
{"moves":[[0,0,0,[[0,1,0],[0,2,1]],2],[1,4,0,[[1,5,0],[1,6,1]],1]]},
{"moves":[[0,0,0,[[0,1,0],[0,2,1]],3]],"waits":[[1,7]]},
{"moves":[[1,4,0,[[1,5,0],[1,6,1]],3]],"waits":[[0,3]]},
{"end":0}
]};
