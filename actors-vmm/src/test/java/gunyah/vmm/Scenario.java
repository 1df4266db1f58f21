package gunyah.vmm;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The test shows these conformance scenarios; {@code ConformancePageTest} makes the table of them. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Scenario {
    /** Numbers, 1 to 142. */
    int[] value();
}
