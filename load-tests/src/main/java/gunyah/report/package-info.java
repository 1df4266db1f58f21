/** What a scenario found: a table of rows and single figures, printed for people or as JSON, and the statistics of it. */
package gunyah.report;
