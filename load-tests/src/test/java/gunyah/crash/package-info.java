/** Whole machines whose actors are made to fail, with guests that must not notice. */
package gunyah.crash;
