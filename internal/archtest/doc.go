// Package archtest holds no code, only the tests that keep the architecture true: which package may
// import which, which library belongs to whom, where SQL, texts, money, time and routes may stand.
//
// Every exception is a literal line with its reason in the table beside its rule. A rule that turns
// out wrong is changed there, in the open, and not worked around.
package archtest
