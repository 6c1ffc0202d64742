use super::*;

fn addresses(list: &[&str]) -> Vec<SocketAddr> {
    list.iter().map(|address| address.parse().unwrap()).collect()
}

fn four() -> Vec<SocketAddr> {
    addresses(&["127.0.0.2:9000", "127.0.0.3:9000", "127.0.0.4:9000", "127.0.0.5:9000"])
}

fn nodes(places: usize, found: &[SocketAddr]) -> Arc<Nodes> {
    let nodes = Nodes::new(places);
    nodes.named(found);
    nodes
}

/// Where so many requests go that are all under way at once.
fn spread(nodes: &Arc<Nodes>, requests: usize) -> (Vec<Turn>, Vec<usize>) {
    let turns: Vec<Turn> = (0..requests).map(|_| nodes.turn(&[]).unwrap()).collect();
    let at = |address: &SocketAddr| turns.iter().filter(|turn| turn.address == *address).count();
    let counts = nodes.addresses().iter().map(at).collect();
    (turns, counts)
}

#[test]
fn requests_go_round_all_addresses_whatever_the_order_they_are_found_in() {
    let mut found = four();
    let nodes = nodes(2, &found);
    for round in 0..3 {
        for address in four() {
            let turn = nodes.turn(&[]).unwrap();
            assert_eq!(turn.address(), address, "round {round}");
            turn.answered();
            found.rotate_left(1);
            nodes.named(&found);
        }
    }
}

#[test]
fn those_under_way_at_once_are_spread_as_evenly_as_they_can_be() {
    for (requests, counts) in [(10, [3, 3, 2, 2]), (4, [1; 4]), (1000, [250; 4])] {
        let nodes = nodes(requests + 1, &four());
        let (turns, found) = spread(&nodes, requests);
        assert_eq!(found, counts);
        turns.into_iter().for_each(Turn::answered);
    }
    assert!(Nodes::new(1).turn(&[]).is_none(), "nothing was looked up");
}

#[test]
fn a_slow_address_gets_hold_of_its_share_and_no_more() {
    let nodes = nodes(11, &four());
    let slow = four()[1];
    let mut held = Vec::new();
    for _ in 0..100 {
        let turn = nodes.turn(&[]).unwrap();
        if turn.address() == slow {
            held.push(turn);
        } else {
            turn.answered();
        }
    }
    assert_eq!(held.len(), 4, "a quarter, and a quarter of that");
    held.pop().unwrap().answered();
    let next: Vec<Turn> = (0..4).map(|_| nodes.turn(&[]).unwrap()).collect();
    assert!(next.iter().any(|turn| turn.address() == slow), "it has room again");
}

#[test]
fn what_was_given_up_sets_its_address_aside_unless_others_were_answered_there() {
    let nodes = nodes(8, &four());
    let silent = nodes.turn(&[]).unwrap().address();
    let (turns, counts) = spread(&nodes, 6);
    assert_eq!(counts, [0, 2, 2, 2]);
    assert!(turns.iter().all(|turn| turn.address() != silent));
    // The first of each is answered, the second is given up.
    let (answered, given_up): (Vec<_>, Vec<_>) =
        turns.into_iter().enumerate().partition(|(nth, _)| *nth < 3);
    answered.into_iter().for_each(|(_, turn)| turn.answered());
    drop(given_up);
    assert_eq!(spread(&nodes, 6).1, [0, 2, 2, 2]);
}

#[test]
fn an_address_set_aside_is_tried_after_half_a_minute_with_one_request() {
    let nodes = nodes(8, &four());
    let dead = four()[2];
    nodes.set_aside(&[dead]);
    let soon = Instant::now() + ASIDE - Duration::from_secs(1);
    let later = soon + Duration::from_secs(2);
    let at = |now| -> Vec<Turn> { (0..8).map(|_| nodes.turn_at(&[], now).unwrap()).collect() };
    for turn in at(soon) {
        assert!(turn.address() != dead && !turn.is_trial());
        turn.answered();
    }
    nodes.named(&four()); // that it is found does not make it answer
    let turns = at(later);
    let trials: Vec<&Turn> = turns.iter().filter(|turn| turn.address() == dead).collect();
    assert!(matches!(trials.as_slice(), [trial] if trial.is_trial()), "{trials:?}");
    turns.into_iter().for_each(Turn::answered);
    assert_eq!(spread(&nodes, 8).1, [2; 4], "it answered");
}

#[test]
fn a_request_goes_where_it_has_not_been() {
    let nodes = nodes(8, &four());
    let mut met = Vec::new();
    while nodes.has_another(&met) {
        let turn = nodes.turn(&met).unwrap();
        assert!(!met.contains(&turn.address()), "{met:?}");
        met.push(turn.address());
        turn.over();
    }
    assert_eq!(met.len(), 4);
    nodes.set_aside(&four()[..3]);
    assert!(!nodes.has_another(&four()[3..]), "nobody answers at the others");
    let turn = nodes.turn(&four()[3..]).unwrap();
    assert!(turn.is_trial(), "but a request is not kept from being sent");
}

#[test]
fn a_connection_that_another_took_is_counted_there() {
    let nodes = nodes(3, &four());
    let mut turn = nodes.turn(&[]).unwrap();
    turn.connected(four()[1]);
    assert_eq!(turn.address(), four()[1]);
    assert_eq!(spread(&nodes, 3).1, [1, 0, 1, 1], "there it waits already");
}

#[test]
fn the_only_address_is_never_set_aside() {
    let nodes = nodes(4, &four()[..1]);
    drop(nodes.turn(&[]));
    nodes.set_aside(&four()[..1]);
    assert!(!nodes.turn(&[]).unwrap().is_trial());
}

#[test]
fn families_take_turns_and_what_did_not_answer_comes_last() {
    let found = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1", "10.0.0.2:1"]);
    let nodes = nodes(1, &found);
    let order = |first: usize| nodes.in_order(found[first]);
    let turns = ["[::1]:1", "10.0.0.1:1", "[::2]:1", "10.0.0.2:1", "[::3]:1"];
    assert_eq!(order(0), addresses(&turns));
    let turns = ["10.0.0.2:1", "[::1]:1", "10.0.0.1:1", "[::2]:1", "[::3]:1"];
    assert_eq!(order(4), addresses(&turns), "whoever's turn it is begins");
    nodes.set_aside(&addresses(&["[::1]:1", "10.0.0.2:1"]));
    let turns = ["[::2]:1", "10.0.0.1:1", "[::3]:1", "10.0.0.2:1", "[::1]:1"];
    assert_eq!(order(1), addresses(&turns));
    let turns = ["[::1]:1", "10.0.0.1:1", "[::2]:1", "[::3]:1", "10.0.0.2:1"];
    assert_eq!(order(0), addresses(&turns), "it is tried on purpose");
}
