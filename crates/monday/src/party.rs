//! A party's evening, from the door to the clean table. It is one task, and it reads from top to bottom;
//! at every `await` LoopBot turns to other parties.

use std::rc::Rc;

use restaurant::work::CARD;
use restaurant::{Party, Slip};

use crate::house::House;

// ANCHOR: serve
pub(crate) async fn serve(house: Rc<House>, party: Party) {
    let bot = &house.bot;
    let (dithers, eats) = (party.dithers, party.eats);

    bot.wait_until(party.arrives).await;
    house.at_the_door(1);
    let _table = house.free_table().await;
    let claim = house.claim_a_table();
    let spot = claim.spot;
    house.at_the_door(-1);

    let body = bot.goes_to(&spot.name()).await;
    spot.seat(bot, party);
    drop(body); // LoopBot does not stand there while they dither
    bot.wait(dithers).await;

    let body = bot.goes_to(&spot.name()).await;
    let slips = spot.take_order(bot);
    drop(body);
    // Two tasks, so that the oven and the tap run at the same time.
    let courses = slips.map(|slip| {
        let name = slip.to_string();
        loopbot::spawn_named(&name, bring(house.clone(), slip))
    });
    for course in courses {
        course.await.expect("no course panics");
    }

    bot.wait(eats).await;
    let body = bot.goes_to("desk").await;
    bot.wait(CARD).await;
    spot.settle(bot);
    drop(body);

    let _body = bot.goes_to(&spot.name()).await;
    spot.clear(bot).await;
}
// ANCHOR_END: serve

/// Has a slip made, and brings what comes of it.
async fn bring(house: Rc<House>, slip: Slip) {
    let bot = &house.bot;
    let made_in = slip.course.made_in();

    let body = bot.goes_to(made_in).await;
    bot.tells(format!("starts {slip}"));
    drop(body);
    bot.wait(slip.takes).await;

    drop(bot.goes_to(made_in).await);
    let _body = bot.goes_to(&house.spot(slip.table).name()).await;
    house.spot(slip.table).serve(bot, &slip);
}
