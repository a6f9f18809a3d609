use super::craft::*;
use super::*;
#[test]
fn dump() {
    let c = Crafted::simple();
    println!("{c:?}");
    let mut a = Document::new(ANA);
    let c1 = set(&mut a, "a", "1");
    let mut b = copy_for(&a, BEN);
    let x = edit(&mut a, |e| {
        e.set("a", text("2"))?;
        e.set("b", Value::Int(5))?;
        e.set("c", Value::Null)
    });
    let y = set(&mut b, "a", "3");
    b.apply(&[&x], &[ANA]).unwrap();
    println!("{:?}", b.conflicts("a").len());
    let z = edit(&mut b, |e| {
        e.clear("a")?;
        e.set("b", Value::Bool(true))
    });
    for c in [&c1, &x, &y, &z] {
        println!("{:x?}", Crafted::parse(c));
    }
}
