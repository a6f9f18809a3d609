package androidx.test.espresso;
import java.util.*;
public final class IdlingRegistry { private static final IdlingRegistry I=new IdlingRegistry(); public static IdlingRegistry getInstance(){return I;} public Collection<IdlingResource> getResources(){return List.of();} public Collection<android.os.Looper> getLoopers(){return List.of();} }
